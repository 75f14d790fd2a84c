/** Writes, reads and collects in a cache others use at the same time. Arguments: directory, seed, and `large` for blobs that cacache keeps, too. Prints how many reads came back wrong. */
import { collect, defaultLimits } from '../../cache/collect.ts'
import { openLocalCache } from '../../cache/local.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { TaskId } from '../../graph/types.ts'
import { keyOf, store } from './stored.ts'

const [directory = '', seed = '', large] = process.argv.slice(2)
const cache = openLocalCache(directory)
let wrong = 0
for (let index = 0; index < 60; index++) {
  const name = `task-${index % 20}`
  await store(cache, name, `${name} `.repeat(500))
  await store(cache, `${seed}-${index}`)
  if (large && index % 4 === 0) await store(cache, `large-${index % 8}`, `${seed}${index}`.repeat(80_000))
  await cache.log.record('exec:shared' as TaskId, { kind: seed, version: 1, params: {}, env: {}, secrets: {}, files: {}, needs: {} })
  const result = await cache.actions.get(keyOf(name))
  const bytes = await cache.content.read(digestOf(`${name} `.repeat(500)))
  if (!result || !bytes) wrong++
  if (!(await cache.log.last('exec:shared' as TaskId))) wrong++
  if (index % 20 === 19) await collect(cache, defaultLimits)
}
process.stdout.write(String(wrong))
