/** Two machines that share results through a real registry, with TLS and a password: one writes, the other finds all it needs. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Cache } from '../../cache/cache.ts'
import { openLocalCache } from '../../cache/local.ts'
import { openOciStore } from '../../cache/remote/oci.ts'
import { signingKey } from '../../cache/signed-entry.ts'
import { openRemoteCache, type RemoteCache } from '../../cache/tiered.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult, Fingerprint } from '../../graph/types.ts'
import { registryTransport } from '../../src/hosts/registry-transport.ts'
import { within } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { labSuite } from '../support/lab-suite.ts'

const real = await labSuite('e2e/shared-cache-oci')
const { test, lab } = real

const limitMs = 30_000
/** Unique to this run: the registry keeps what earlier runs have pushed. */
const repository = `remote-${randomBytes(6).toString('hex')}/cache`
const warnings: string[] = []

/** A machine's own cache and, behind it, the registry. */
function machine(directory: string, role: 'ci' | 'laptop', secret = 'the key of both'): { local: Cache; remote: RemoteCache } {
  const local = openLocalCache(directory)
  const address = `${lab().registry.address}/${repository}`
  const remote = openRemoteCache({
    local,
    name: `oci://${address}`,
    open: async () =>
      openOciStore({
        name: `oci://${address}`,
        transport: registryTransport(address, { environment: { DOCKER_CONFIG: lab().registry.dockerConfigDir } }),
      }),
    reads: true,
    writes: role === 'ci',
    fills: true,
    keys: [signingKey(secret)],
    limits: { timeoutMs: limitMs, maxWaitMs: limitMs },
    warn: (message) => void warnings.push(message),
    holdsSecret: () => false,
    signal: new AbortController().signal,
  })
  return { local, remote }
}

const anyKey = () => randomBytes(32).toString('hex') as Fingerprint

async function resultOf(cache: Cache, contents: readonly Buffer[]): Promise<ActionResult> {
  const digests = await Promise.all(contents.map((bytes) => cache.content.write(bytes)))
  return {
    files: Object.fromEntries(digests.map((digest, index) => [`out/${index}`, { digest, executable: index === 0 }])),
    values: { port: 1 },
  }
}

test('what CI made, a laptop finds, bytes and all; what it makes itself stays there', () =>
  inDirectory(async (directory) => {
    const contents = [Buffer.alloc(0), Buffer.from('small'), randomBytes(3_000_000)]
    const [key, own] = [anyKey(), anyKey()]
    const ci = machine(join(directory, 'ci'), 'ci')
    const made = await resultOf(ci.local, contents)
    await ci.remote.actions.set(key, made)
    await within(limitMs, ci.remote.close())
    assert.equal(ci.remote.counts(), { taken: 0, shared: 1 })

    const laptop = machine(join(directory, 'laptop'), 'laptop')
    assert.equal(await within(limitMs, laptop.remote.actions.get(key)), made)
    for (const bytes of contents) {
      const read = await laptop.local.content.read(digestOf(bytes))
      assert.ok(read !== undefined && bytes.equals(read))
    }
    assert.is(await laptop.remote.actions.get(anyKey()), undefined)
    await laptop.remote.actions.set(own, made)
    await within(limitMs, laptop.remote.close())

    const third = machine(join(directory, 'third'), 'laptop')
    assert.is(await third.remote.actions.get(own), undefined)
    await third.remote.close()
    assert.equal(warnings.splice(0), [])
  }))

test('who has another key takes nothing', () =>
  inDirectory(async (directory) => {
    const key = anyKey()
    const ci = machine(join(directory, 'ci'), 'ci', 'a key of its own')
    await ci.remote.actions.set(key, await resultOf(ci.local, [randomBytes(10)]))
    await within(limitMs, ci.remote.close())
    const laptop = machine(join(directory, 'laptop'), 'laptop')
    assert.is(await within(limitMs, laptop.remote.actions.get(key)), undefined)
    await laptop.remote.close()
    assert.is(warnings.splice(0).length, 1)
  }))

test("the registry's garbage collection keeps what an entry names, and would take what none names", () =>
  inDirectory(async (directory) => {
    const [named, orphan] = [randomBytes(100), randomBytes(100)]
    const ci = machine(directory, 'ci')
    await ci.remote.actions.set(anyKey(), await resultOf(ci.local, [named]))
    await within(limitMs, ci.remote.close())
    const address = `${lab().registry.address}/${repository}`
    const transport = registryTransport(address, { environment: { DOCKER_CONFIG: lab().registry.dockerConfigDir } })
    const store = openOciStore({ name: address, transport })
    await store.writeBlob(digestOf(orphan), orphan, AbortSignal.timeout(limitMs))
    await store.close?.()
    const arguments_ = ['garbage-collect', '--dry-run', join(lab().dir, 'registry', 'config.yml')]
    const told = execFileSync('docker-registry', arguments_, {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const doomed = told.split('\n').filter((line) => line.includes('eligible for deletion'))
    assert.ok(doomed.some((line) => line.includes(digestOf(orphan))))
    assert.not.ok(doomed.some((line) => line.includes(digestOf(named))))
  }))

real.run()
