import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json, JsonObject } from '../../../graph/types.ts'
import { isList, isObject } from '../../../src/config/json-path.ts'
import { understoodKeywords, violations } from '../../../src/config/json-schema.ts'

const test = suite('config/json-schema')

const compose = JSON.parse(readFileSync(new URL('../../../src/config/compose-spec.schema.json', import.meta.url), 'utf8')) as JsonObject
const annotations = ['$schema', '$id', 'title', 'description', 'deprecated', 'default', 'definitions']

/** Every schema inside a schema. */
function* schemas(schema: Json | undefined): Generator<JsonObject> {
  if (!isObject(schema)) return
  yield schema
  for (const key of ['properties', 'patternProperties', 'definitions']) {
    if (isObject(schema[key])) for (const inner of Object.values(schema[key])) yield* schemas(inner)
  }
  for (const key of ['items', 'additionalProperties']) yield* schemas(schema[key])
  if (isList(schema['oneOf'])) for (const inner of schema['oneOf']) yield* schemas(inner)
}

test('every keyword of the Compose schema is understood', () => {
  const used = new Set([...schemas(compose)].flatMap((schema) => Object.keys(schema)))
  assert.equal(
    [...used].filter((keyword) => !understoodKeywords.includes(keyword) && !annotations.includes(keyword)),
    [],
  )
})

/** A service that uses most of what has a shape of its own. */
const service = {
  image: 'a',
  build: { context: '.', args: ['A=1'], secrets: [{ source: 's' }], platforms: ['linux/amd64'] },
  command: ['x'],
  depends_on: { db: { condition: 'service_started', required: false } },
  deploy: { replicas: 2, resources: { limits: { cpus: '0.5', memory: '1g' } }, update_config: { order: 'start-first' } },
  environment: { A: 1, B: null },
  env_file: [{ path: '.env', required: false }],
  healthcheck: { test: ['CMD', 'true'], interval: '5s', retries: 3, disable: false },
  logging: { driver: 'json-file', options: { 'max-size': '1m' } },
  networks: { front: { aliases: ['a'] } },
  ports: ['80:80', 443, { target: 1, published: '2' }],
  volumes: ['data:/data', { type: 'bind', source: '/a', target: '/b', read_only: true }],
  ulimits: { nofile: { soft: 1, hard: 2 } },
  oom_score_adj: 5,
  sysctls: ['a=b'],
}
const file = { services: { web: service }, volumes: { data: null, more: { driver: 'local' } }, networks: { front: { external: true } } }

const junk = fc.oneof(
  fc.constantFrom<Json>(null, true, 3, 1.5, -7, '', 'x', [], {}, ['x', 'x'], { x: 1 }, { external: 'yes' }, [{ target: 1 }]),
  fc.constantFrom<Json>('CMD', 'service_healthy', 'start-first', ['A=1', 'A=1'], { condition: 'other' }),
)
const keys = ['image', 'build', 'ports', 'x-a', 'nonsense', 'external', 'name', 'condition', 'target', 'deploy']

/** A copy in which one value, found by walking down with `choices`, is replaced or gets another member. */
function mutated(value: Json, choices: readonly number[], put: Json, key: string): Json {
  const [choice = 0, ...rest] = choices
  if (isList(value) && value.length > 0 && rest.length > 0) {
    const at = choice % value.length
    return value.map((entry, index) => (index === at ? mutated(entry, rest, put, key) : entry))
  }
  if (!isObject(value) || rest.length === 0) return put
  const names = [...Object.keys(value), key]
  const name = names[choice % names.length] ?? key
  return { ...value, [name]: name in value ? mutated(value[name] ?? null, rest, put, key) : put }
}

test('a mutated file is valid exactly when ajv says so', () => {
  const { $schema: _, ...schema } = compose
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)
  let invalid = 0
  fc.assert(
    fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }), junk, fc.constantFrom(...keys), (choices, put, key) => {
      const value = mutated(file as unknown as Json, choices, put, key)
      const found = violations(compose, value)
      if (found.length > 0) invalid++
      assert.is(found.length === 0, validate(value), `${JSON.stringify(value)} ${JSON.stringify(found)} ${JSON.stringify(validate.errors)}`)
    }),
    { numRuns: 4000 },
  )
  assert.ok(invalid > 500, `only ${invalid} files were invalid`)
})

test('a schema that refers to nothing is our mistake', () => {
  assert.throws(() => violations({ $ref: '#/definitions/none' }, 1), /the schema has no #\/definitions\/none/)
})
test('a pattern is told', () => {
  assert.equal(violations({ type: 'string', pattern: '^a' }, 'b'), [{ path: [], rule: 'pattern', pattern: '^a' }])
})

test.run()
