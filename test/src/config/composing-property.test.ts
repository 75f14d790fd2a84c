import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json, JsonObject } from '../../../graph/types.ts'
import { loadCompose } from '../../../src/config/compose-file.ts'
import { merge } from '../../../src/config/composing/merge.ts'
import { plain, sourced } from '../../../src/config/composing/sourced.ts'
import { placesOf } from '../../../src/config/locate.ts'
import { composeModel } from '../../support/compose-style.ts'
import { hasCompose } from '../../tasks/rendering/docker-compose.ts'
import { accepted } from './told.ts'

const test = suite('config/composing-property')

const word = fc.constantFrom('a', 'b', 'c', 'd')
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 3 })
const pairs = fc.dictionary(word, fc.oneof(word, fc.integer({ min: 0, max: 9 })), { minKeys: 1, maxKeys: 3, noNullPrototype: true })
const map = fc.oneof(
  pairs,
  pairs.map((given) => Object.entries(given).map(([key, value]) => `${key}=${value}`)),
)
const oneOrMore = fc.oneof(word, words)
const addresses = fc.uniqueArray(fc.constantFrom('1.1.1.1', '8.8.8.8', '9.9.9.9'), { minLength: 1, maxLength: 2 })
const uniqueBy = (entries: readonly Json[]) => fc.uniqueArray(fc.constantFrom(...entries), { minLength: 1, maxLength: 3 })

/** Every key whose merging has a rule, and some that have none. Each is valid by itself. */
const definition: fc.Arbitrary<JsonObject> = fc.record(
  {
    image: word,
    command: oneOrMore,
    entrypoint: words,
    environment: map,
    labels: map,
    annotations: map,
    sysctls: map,
    dns: fc.oneof(fc.constant('4.4.4.4'), addresses),
    dns_search: oneOrMore,
    tmpfs: fc.oneof(fc.constant('/x'), uniqueBy(['/y', '/z'])),
    cap_add: words,
    expose: uniqueBy(['80', '81', '82']),
    ports: uniqueBy(['80:80', '81:80', '127.0.0.1:82:80']),
    volumes: uniqueBy(['a:/a', 'b:/b:ro', '/c:/c']),
    devices: uniqueBy(['/dev/a:/dev/x', '/dev/b:/dev/y']),
    networks: fc.oneof(uniqueBy(['a', 'b']), fc.constant({ b: { aliases: ['one'] }, c: null })),
    healthcheck: fc.record(
      { test: words.map((given) => ['CMD', ...given]), retries: fc.integer({ min: 1, max: 5 }) },
      { requiredKeys: ['test'], noNullPrototype: true },
    ),
    logging: fc.record({ driver: word, options: pairs }, { requiredKeys: ['driver'], noNullPrototype: true }),
    ulimits: fc.oneof(fc.constant({ nofile: 5 }), fc.constant({ nofile: { soft: 1, hard: 2 }, nproc: 3 })),
    extra_hosts: fc.oneof(uniqueBy(['a=1.1.1.1', 'b=2.2.2.2']), fc.constant({ c: '3.3.3.3' })),
    read_only: fc.boolean(),
    shm_size: fc.constantFrom('64m', 1_000_000),
    deploy: fc.record(
      { labels: map, resources: fc.constantFrom({ limits: { cpus: '0.5' } }, { limits: { pids: 5 } }) },
      { requiredKeys: [], noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<JsonObject>

const places = placesOf('', 'f', new Map())
const merged = (base: JsonObject, over: JsonObject) =>
  plain(merge(sourced(base, places), sourced(over, places), ['services', 'web'])) as JsonObject

test('nothing over something, and something over nothing, is that something', () => {
  fc.assert(
    fc.property(definition, (given) => {
      assert.equal(merged(given, {}), given)
      assert.equal(merged({}, given), given)
    }),
  )
})
test('merging the same once more changes nothing', () => {
  fc.assert(
    fc.property(definition, definition, (base, over) => {
      // The first time may change the spelling: a list of pairs becomes a map.
      const twice = merged(merged(base, over), over)
      assert.equal(merged(twice, over), twice)
    }),
  )
})
const top = { networks: { a: {}, b: {}, c: {} }, volumes: { a: {}, b: {} } }
const composed = hasCompose ? test : test.skip
composed('what a service extends means to Docker Compose what it means here', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stagecraft-merge-'))
  try {
    // Many services to a file, for starting Docker Compose is what takes time.
    const samples = fc.sample(fc.tuple(definition, definition), { numRuns: 120, seed: Number(process.env['FAST_CHECK_SEED'] ?? 20261123) })
    const services = Object.fromEntries(
      samples.flatMap(([base, over], index) => [
        [`base${index}`, { image: 'i', ...base }],
        [`over${index}`, { ...over, extends: `base${index}` }],
      ]),
    )
    const written = join(folder, 'written.yml')
    writeFileSync(written, JSON.stringify({ services, ...top }))
    const file = accepted(await loadCompose(written))
    const ours = join(folder, 'ours.yml')
    writeFileSync(
      ours,
      JSON.stringify({ services: Object.fromEntries(file.services.map(({ name, definition }) => [name, definition])), ...top }),
    )
    assert.equal(composeModel(ours), composeModel(written))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
