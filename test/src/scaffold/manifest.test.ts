import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { parseConfig } from '../../../src/config/load.ts'
import type { Detected } from '../../../src/scaffold/detect.ts'
import { type ManifestPlan, renderManifest } from '../../../src/scaffold/manifest.ts'
import { renderMinimalCompose } from '../../../src/scaffold/minimal-compose.ts'
import { scalar } from '../../../src/scaffold/scalar.ts'
import { golden } from '../../support/golden.ts'

const test = suite('src/scaffold/manifest')

const nothing: Detected = { name: { value: 'shop', from: "the folder's name" }, services: [], tasks: [], envFiles: [], hints: [] }
const plan: ManifestPlan = { name: nothing.name, composeFile: 'docker-compose.yml', environment: 'prod', detected: nothing }
const everything: Detected = {
  ...nothing,
  services: [
    { name: 'api', what: 'built from ./api', isBuilt: true },
    { name: 'database', what: 'postgres:17, a database', isBuilt: false, runs: 'postgres' },
  ],
  database: {
    connectionEnv: { value: 'DATABASE_URL', from: 'the environment of api' },
    service: 'database',
    migrations: { value: 'db/migrations', from: 'its .sql files' },
  },
  envFiles: ['.env', '.env.production'],
}

const plans: readonly (readonly [string, ManifestPlan])[] = [
  ['least', plan],
  [
    'everything',
    {
      ...plan,
      registry: { value: 'ghcr.io/acme/shop', from: 'the git remote `origin`' },
      composeFile: 'compose.yaml',
      detected: everything,
    },
  ],
  ['answered', { ...plan, name: { value: 'store' }, host: 'deploy@203.0.113.7:2222', environment: 'staging', detected: everything }],
  ['placeholders', { ...plan, detected: { ...everything, services: everything.services.slice(0, 1), envFiles: [] } }],
  ['local', { ...plan, environment: 'dev', detected: everything }],
  [
    'elsewhere',
    {
      ...plan,
      detected: {
        ...everything,
        services: [{ name: 'true', what: 'a\nb', isBuilt: false, runs: 'postgres' }],
        database: undefined,
      } as unknown as Detected,
    },
  ],
]
for (const [name, each] of plans) {
  test(`a manifest with ${name} is valid and reads well`, () => {
    const text = renderManifest(each)
    const checked = parseConfig(text, '/project/stagecraft.yml')
    assert.equal(checked.ok ? [] : checked.diagnostics, [])
    golden(`init/${name}.yml`, text)
  })
  test(`what is commented out in a manifest with ${name} is valid once it is not`, () => {
    const text = renderManifest(each)
    const offered = text.replace(/^(\s*)# (?=(services|databases|env_file):| {2})(?! {2}\S+ {2})(.*)$/gm, '$1$3')
    const checked = parseConfig(offered, '/project/stagecraft.yml')
    assert.equal(checked.ok ? [] : checked.diagnostics, [], offered)
  })
}

test('any text survives as a YAML scalar', () => {
  const texts = [
    'shop',
    '1.5',
    'true',
    'No',
    'a: b',
    'a:',
    '#a',
    '',
    '.',
    '-',
    'x y',
    '"q"',
    "it's",
    '@a',
    'deploy@203.0.113.7',
    '[2001:db8::7]:22',
    '0x1f',
    '~',
    './api',
    '2001:db8::7',
  ]
  for (const text of texts) assert.is(parse(`key: ${scalar(text)}`).key, text)
})

test('a minimal Compose file publishes what the Dockerfile exposes', () => {
  assert.equal(parse(renderMinimalCompose('FROM x\nexpose 8080/tcp\n')).services.web, {
    build: '.',
    ports: ['8080-8081:8080'],
    restart: 'unless-stopped',
  })
  assert.equal(parse(renderMinimalCompose('FROM x\n')).services.web, { build: '.', restart: 'unless-stopped' })
})

test.run()
