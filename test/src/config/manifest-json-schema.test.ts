/** The JSON Schema and the reference page: fresh, complete, and of one mind with what checks manifests. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import type { Json, JsonObject } from '../../../graph/types.ts'
import { manifestJsonSchema, manifestSchemaText } from '../../../src/config/manifest-json-schema.ts'
import { builtInProviders } from '../../../src/providers/built-in.ts'
import { upToDate } from '../../support/golden.ts'
import { referencePage } from '../../support/reference-page.ts'
import { schemaRows } from '../../support/schema-rows.ts'
import { filesBelow, textOf } from '../../support/source-tree.ts'
import { aboutConfig } from './told.ts'

const test = suite('config/manifest-json-schema')

const registries = builtInProviders()
const schema = manifestJsonSchema(registries)
const rows = schemaRows(schema)
const ajv = new Ajv({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
  formats: { uri: true, ipv4: true, ipv6: true },
})
const accepts = ajv.compile(schema)

test('the schema that is shipped is that of the program', () =>
  upToDate('docs/reference/stagecraft.schema.json', manifestSchemaText(registries)))

test('the reference page is made from the schema', () => upToDate('docs/reference/configuration.md', referencePage(schema)))

test('every key has a description of one or more sentences', () => {
  const bad = rows
    .filter(({ description = '' }) => !/^[`A-ZÀ-ž0-9[].*[.”]$/.test(description))
    .map(({ path, description }) => `${path}: ${description}`)
  assert.equal(bad, [])
})

test('every key but maps of keys has an example', () => {
  const without = rows.filter(({ example, type }) => example === undefined && !/\bmap\b/.test(type)).map(({ path }) => path)
  assert.equal(without, [])
})

/** A manifest in which one key has a value, and all around it only what leads there. */
function manifestWith(path: string, value: Json): string {
  const steps = path
    .replaceAll('[]', '.[]')
    .split('.')
    .map((step) => step.replace(/^<point>$/, 'before_rollout').replace(/^<.*>$/, 'x'))
  const nested = steps.reduceRight<Json>((inner, step) => (step === '[]' ? [inner] : { [step]: inner }), value)
  // An entry is only looked at when it is selected.
  const provider = /^(backend|frontend|edge)\.providers\.([a-z][a-z0-9-]*)/.exec(path)
  const whole = provider
    ? { [steps[0] ?? '']: { provider: provider[2], ...((nested as JsonObject)[steps[0] ?? ''] as JsonObject) } }
    : nested
  return JSON.stringify(whole)
}

for (const { path, example } of rows) {
  if (example === undefined) continue
  test(`the example of \`${path}\` is what the program takes there`, () => {
    const wrong = aboutConfig(manifestWith(path, example)).filter(
      (line) => /SC10(03|09|11|12|13|14|15)/.test(line) && !line.includes('expected one of `http`'),
    )
    assert.equal(wrong, [])
  })
}

// --- of one mind with zod ---------------------------------------------------------------------------------------

/** Manifests that people are shown: examples, goldens of `init`, and every block of the documentation that is one. */
function knownManifests(): (readonly [string, string])[] {
  const files = ['stagecraft.yml', ...filesBelow('docs/examples', 'stagecraft.yml'), ...filesBelow('test/golden/init', '.yml')]
  const documents = ['README.md', ...filesBelow('docs', '.md')].flatMap((page) =>
    [...textOf(page).matchAll(/^```yaml runnable(?: tasks)?\n([\s\S]*?)^```$/gm)].map(
      ([, text = ''], at) => [`${page} #${at + 1}`, text] as const,
    ),
  )
  return [...files.map((file) => [file, textOf(file)] as const), ...documents]
}

for (const [place, text] of knownManifests()) {
  test(`the schema accepts ${place}`, () => assert.ok(accepts(parse(text, { merge: true })), ajv.errorsText(accepts.errors)))
}

test('there are manifests enough to say something', () => assert.ok(knownManifests().length >= 10, String(knownManifests().length)))

const shapes: readonly (readonly [text: string, valid: boolean])[] = [
  ['{}', false],
  ['project: {name: shop}', true],
  ['project: {name: Shop}', false],
  ['project: {name: shop, nme: x}', false],
  ['project: {name: shop}\nbackend: {provider: generic, providers: {generic: {build: {context: api}}}}', true],
  ['project: {name: shop}\nbackend: {provider: generic, providers: {generic: null, broken: [1]}}', true],
  ['project: {name: shop}\nbackend: {provider: encore, providers: {encore: {}}}', false],
  ['project: {name: shop}\nbackend: {provider: generic}', false],
  ['project: {name: shop}\nbackend: {provider: generic, providers: {generic: {build: {contxt: .}}}}', false],
  ['project: {name: shop}\nedge: caddy', true],
  ['project: {name: shop}\nedge: {providers: {caddy: {inner_port: 8000}}}', true],
  ['project: {name: shop}\nedge: {provider: traefik}', true],
  ['project: {name: shop}\nedge: nginx', false],
  ['project: {name: shop}\nedge: {provider: traefik, providers: {traefik: {inner_port: x}}}', false],
  ['project: {name: shop}\nenvironments: {dev: }', true],
  ['project: {name: shop}\nenvironments: {Dev: }', false],
  ['project: {name: shop}\nenvironments: {dev: {hosts: [a@b, {address: c}]}}', true],
  ['project: {name: shop}\nenvironments: {dev: {hosts: {app: []}}}', false],
  ['project: {name: shop}\nenvironments: {dev: {protected: true}}', false],
  ['project: {name: shop}\nservices: {web: , api: {route: shop.example.com}}', true],
  ['project: {name: shop}\nservices: {web: {route: {domains: [a.example], drain_seconds: 9999}}}', false],
  ['project: {name: shop}\nservices: {web: {replicas: two}}', false],
  ['project: {name: shop}\ntasks: {a: {command: x}}\npipelines: {ci: [a], all: {targets: [ci]}}', true],
  ['project: {name: shop}\ntasks: {a: {}}', false],
  ['project: {name: shop}\nhooks: {before_deploy: npm test, after_deploy: [a, b], before_rollout: {command: x, on: web}}', true],
  ['project: {name: shop}\nhooks: {before_deploy: {command: x, when: y}}', false],
  ['project: {name: shop}\nenvironments: {p: {hooks: {before_deploy: false}}}', true],
  ['project: {name: shop}\ncache: {remote: "https://cache.example", max_size: 2GiB}', true],
  ['project: {name: shop}\ncache: {remote: {mode: write, url: oci}}', false],
  ['project: {name: shop}\nmigrations: {engine_config: {raw: {schema_table: a.b}}}', true],
  ['project: {name: shop}\nmigrations: {engine_config: {flyway: {}}}', false],
  ['project: {name: shop}\nnetwork: {provider: tailscale}', false],
]

for (const [text, valid] of shapes) {
  test(`schema and program ${valid ? 'accept' : 'refuse'} ${text.replace('project: {name: shop}\n', '')}`, () => {
    assert.is(accepts(parse(text)), valid, ajv.errorsText(accepts.errors))
    const wrong = aboutConfig(text).filter((line) => /SC10(03|09|10|11|12|14|15|16|53)/.test(line) && !line.includes('(warning)'))
    assert.is(wrong.length === 0, valid, wrong.join('\n'))
  })
}

test('what is built has the schema beside it', () => {
  const built = fileURLToPath(new URL('../../../../bin/stagecraft.schema.json', import.meta.url))
  assert.ok(existsSync(built), 'bin/stagecraft.schema.json')
  assert.is(readFileSync(built, 'utf8'), manifestSchemaText(registries))
})

test.run()
