/** Cache entries in a real registry with TLS and a password, reached as Docker reaches it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openOciStore } from '../../cache/remote/oci.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { Fingerprint } from '../../graph/types.ts'
import { registryTransport } from '../../src/hosts/registry-transport.ts'
import { rejects, within } from '../support/assertions.ts'
import { labSuite } from '../support/lab-suite.ts'
import { behavesAsRemoteStore } from '../support/remote-store-suite.ts'

const real = await labSuite('e2e/remote-oci')
const { test, lab } = real

const signal = () => AbortSignal.timeout(20_000)
/** Unique to this run: the registry keeps what earlier runs have pushed. */
const repository = `remote-${randomBytes(6).toString('hex')}/cache`

function open(options: { dockerConfig?: string; certificatesDirectory?: string } = {}) {
  const { dockerConfig = lab().registry.dockerConfigDir, ...more } = options
  const address = `${lab().registry.address}/${repository}`
  const transport = registryTransport(address, { environment: { DOCKER_CONFIG: dockerConfig }, ...more })
  return openOciStore({ name: `oci://${address}`, transport })
}

/** A Docker configuration with this login for the lab's registry. */
async function dockerConfig(username: string, password: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'remote-oci-'))
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  await writeFile(join(directory, 'config.json'), JSON.stringify({ auths: { [lab().registry.address]: { auth } } }))
  return directory
}

behavesAsRemoteStore(test, 'a real registry', {
  open: async () => open(),
  secrets: () => [lab().registry.password],
})

test('the registry takes a manifest only with all that it names', async () => {
  const store = open()
  const missing = { digest: digestOf(randomBytes(8)), size: 8 }
  const key = randomBytes(32).toString('hex') as Fingerprint
  await rejects(store.writeAction(key, Buffer.from('{}'), signal(), [missing]), /writing tag ac-.* 4\d\d, .*BLOB_UNKNOWN/)
  assert.is(await store.readAction(key, signal()), undefined)
  await store.close?.()
})

test('an entry with a thousand blobs is taken', async () => {
  const store = open()
  const key = randomBytes(32).toString('hex') as Fingerprint
  const blobs = Array.from({ length: 1000 }, (_, index) => Buffer.from(`${key} ${index}`))
  await within(60_000, Promise.all(blobs.map((bytes) => store.writeBlob(digestOf(bytes), bytes, AbortSignal.timeout(60_000)))))
  await store.writeAction(
    key,
    Buffer.from('many'),
    signal(),
    blobs.map((bytes) => ({ digest: digestOf(bytes), size: bytes.length })),
  )
  assert.is(String(Buffer.from((await store.readAction(key, signal())) ?? [])), 'many')
  await store.close?.()
})

test('a wrong password, none, and a certificate that nobody vouches for are told apart, and the password is not shown', async () => {
  const wrong = await dockerConfig('anna', 'planted-password')
  const none = await mkdtemp(join(tmpdir(), 'remote-oci-'))
  for (const [store, expected] of [
    [open({ dockerConfig: wrong }), /refuses remote-\w+\/cache to the login/],
    [open({ dockerConfig: none }), /registry without credentials/],
    [open({ certificatesDirectory: none }), /certificate of .* is not trusted/],
  ] as const) {
    const error = await rejects(store.readAction('a'.repeat(64) as Fingerprint, signal()), expected)
    assert.not(/planted-password|cGxhbnRlZ/.test(`${error.message} ${error.stack}`))
    await store.close?.()
  }
  await Promise.all([wrong, none].map((directory) => rm(directory, { recursive: true })))
})

real.run()
