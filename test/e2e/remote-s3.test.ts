/** Cache entries in a bucket of an S3 server that others wrote. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import { openS3Store } from '../../cache/remote/s3.ts'
import { locateBucket } from '../../cache/remote/s3-location.ts'
import type { Fingerprint } from '../../graph/types.ts'
import { rejects } from '../support/assertions.ts'
import { behavesAsRemoteStore } from '../support/remote-store-suite.ts'
import { s3rverKeys, s3rverObstacle, startS3rver } from '../support/s3rver.ts'

const test = suite('e2e/remote-s3')
const obstacle = s3rverObstacle()

if (obstacle === undefined) {
  const directory = await mkdtemp(join(tmpdir(), 'remote-s3-'))
  const server = await startS3rver(directory, 'shop-cache')
  const open = (keys = s3rverKeys) =>
    openS3Store({
      location: locateBucket({ bucket: 'shop-cache', prefix: "it's+(a) prefix/ü", endpoint: server.endpoint }, {}),
      credentials: async () => keys,
    })
  test.after(async () => {
    await server.close()
    await rm(directory, { recursive: true })
  })

  behavesAsRemoteStore(test, 'a server that others wrote', { open: async () => open(), secrets: () => Object.values(s3rverKeys) })

  test('it refuses what another key has signed', async () => {
    const store = open({ ...s3rverKeys, secretAccessKey: 'wrong' })
    await rejects(store.readAction('a'.repeat(64) as Fingerprint, AbortSignal.timeout(10_000)), /403, SignatureDoesNotMatch/)
    await store.close?.()
  })
} else {
  process.stdout.write(`skipped e2e/remote-s3: ${obstacle}\n`)
  test.skip('a server that others wrote')
}

test.run()
