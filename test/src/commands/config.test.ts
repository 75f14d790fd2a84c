import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { manifestSchemaText } from '../../../src/config/manifest-json-schema.ts'
import { builtInProviders } from '../../../src/providers/built-in.ts'
import { stagecraft } from '../../support/cli.ts'
import { golden } from '../../support/golden.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('commands/config')

const manifest = `project: { name: shop, registry: ghcr.io/acme/shop }
edge: caddy
hosts: { app: [deploy@node-1, { address: 10.0.0.2, name: node-2, port: 2222 }], db: [data-1] }
services:
  web: { role: app, replicas: 2, route: { domains: shop.example.com, port: 8080 }, rollout: { timeout_seconds: 90 } }
  db: { role: db }
  search: {}
databases:
  main: { connection_env: DATABASE_URL, service: db, migrations: { path: migrations } }
tasks:
  codegen: { command: [node, generate.mjs], inputs: ["schema/**"], variables: { API_TOKEN: in-the-manifest, LEVEL: info } }
pools: { db: 1 }
pipelines: { ci: [codegen, build] }
hooks: { before_deploy: npm run check }
environments:
  prod:
    env_file: .env.prod
    variables: { LOG_LEVEL: info, BASE: "https://user:hunter22@example.com/" }
    db_port_publish: "5433:5432"
    rollout: { batch: 50%, min_ready_seconds: 7, min_free_space: 2GiB }
    services:
      web: { replicas: 3 }
      search: { mode: external, url: "https://search.example.com" }
    databases: { main: { migrations: { strategy: manual } } }
    hooks: { after_deploy: { command: [curl, well], on_failure: warn } }
  dev: { hosts: [localhost] }
`

const compose = `services:
  web:
    build: ./web
    healthcheck: { test: [CMD, "true"] }
  db:
    image: postgres:17
    container_name: db
    healthcheck: { test: [CMD, "true"] }
  search:
    image: search
`

function inProject(work: (directory: string) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (directory) => {
    writeFileSync(join(directory, 'stagecraft.yml'), manifest)
    writeFileSync(join(directory, 'docker-compose.yml'), compose)
    writeFileSync(join(directory, '.env.prod'), 'DATABASE_URL=postgres://u:s3cr3t-word@db/shop\nSTRIPE_KEY=sk_live_abcdef\n')
    await work(directory)
  })
}

test('of an environment, every setting is shown with the line that won', () =>
  inProject(async (cwd) => {
    const { code, stdout } = await stagecraft(['config', 'show', '--env', 'prod'], { cwd })
    assert.is(code, 0)
    golden('config/prod.txt', stdout)
  }))

test('without an environment, the manifest is shown with its defaults', () =>
  inProject(async (cwd) => {
    const { code, stdout } = await stagecraft(['config', 'show'], { cwd })
    assert.is(code, 0)
    golden('config/manifest.txt', stdout)
  }))

interface Shown {
  readonly environment?: string
  readonly values: readonly {
    readonly path: string
    readonly value: unknown
    readonly origin: { readonly from: string; readonly file?: string; readonly line?: number }
  }[]
}

async function shown(cwd: string, ...argv: string[]): Promise<Shown> {
  const { code, stdout, stderr } = await stagecraft(['config', 'show', '--format', 'json', ...argv], { cwd })
  assert.is(code, 0, stderr)
  return JSON.parse(stdout) as Shown
}

test('what is said to stand in a line stands there', () =>
  inProject(async (cwd) => {
    const { values, environment } = await shown(cwd, '--env', 'prod')
    assert.is(environment, 'prod')
    const placed = values.filter(({ origin }) => origin.line !== undefined)
    assert.ok(placed.length > 30, String(placed.length))
    for (const { path, value, origin } of placed) {
      const line = readFileSync(join(cwd, origin.file ?? ''), 'utf8').split('\n')[(origin.line ?? 0) - 1] ?? ''
      const words = [value].flat().map((word) => String(word).replace(/^\.\//, ''))
      // A build is a folder there; a role says which hosts.
      if (/\.hosts$|\.roles$|image|API_TOKEN$|BASE$/.test(path)) continue
      for (const word of words) assert.ok(line.includes(word), `${path}: ${word} is not in ${origin.file}:${origin.line}: ${line}`)
    }
  }))

test('every setting is named once', () =>
  inProject(async (cwd) => {
    for (const argv of [[], ['--env', 'prod'], ['--env', 'dev']]) {
      const { values } = await shown(cwd, ...argv)
      const paths = values.map(({ path }) => path)
      assert.equal(paths, [...new Set(paths)])
    }
  }))

test('no secret is shown, wherever it stands', () =>
  inProject(async (cwd) => {
    for (const argv of [[], ['--env', 'prod'], ['--env', 'prod', '--format', 'json'], ['--format', 'json']]) {
      const { stdout, stderr } = await stagecraft(['config', 'show', ...argv], { cwd })
      for (const secret of ['s3cr3t-word', 'sk_live_abcdef', 'in-the-manifest', 'hunter22'])
        assert.not.ok(`${stdout}${stderr}`.includes(secret))
    }
  }))

test('an environment that is not there is refused, and so is a faulty manifest, with all that is wrong', () =>
  inProject(async (cwd) => {
    const unknown = await stagecraft(['config', 'show', '--env', 'prd'], { cwd })
    assert.is(unknown.code, 1)
    assert.match(unknown.stderr, 'SC1020')
    assert.is(unknown.stdout, '')
    writeFileSync(join(cwd, 'stagecraft.yml'), 'project: {nme: x}\nbuild: 1\n')
    const faulty = await stagecraft(['config', 'show'], { cwd })
    assert.is(faulty.code, 1)
    for (const word of ['`nme`', '`project.name` is required', '`build`']) assert.match(faulty.stderr, word)
  }))

test('the schema is printed, or written to a file; a dry run only prints it', () =>
  inTemporaryDirectory(async (cwd) => {
    const text = manifestSchemaText(builtInProviders())
    assert.is((await stagecraft(['config', 'schema'], { cwd })).stdout, text)
    const dry = await stagecraft(['config', 'schema', '--out', 'a/schema.json', '--dry-run'], { cwd })
    assert.is(dry.stdout, text)
    const written = await stagecraft(['config', 'schema', '--out', 'a/schema.json'], { cwd })
    assert.is(written.stdout, 'a/schema.json\n')
    assert.is(readFileSync(join(cwd, 'a/schema.json'), 'utf8'), text)
    mkdirSync(join(cwd, 'folder'))
    const refused = await stagecraft(['config', 'schema', '--out', 'folder'], { cwd })
    assert.is(refused.code, 2)
  }))

test('init leads editors to the schema, and checking brings it up to date', () =>
  inTemporaryDirectory(async (cwd) => {
    writeFileSync(join(cwd, 'docker-compose.yml'), compose)
    const { code, stderr } = await stagecraft(['init', '--non-interactive', '--host', 'deploy@203.0.113.7'], { cwd })
    assert.is(code, 0, stderr)
    const file = join(cwd, '.stagecraft/stagecraft.schema.json')
    const text = manifestSchemaText(builtInProviders())
    assert.is(
      readFileSync(join(cwd, 'stagecraft.yml'), 'utf8').split('\n')[0],
      '# yaml-language-server: $schema=.stagecraft/stagecraft.schema.json',
    )
    assert.is(readFileSync(file, 'utf8'), text)
    writeFileSync(file, '{}')
    await stagecraft(['init', '--dry-run'], { cwd })
    assert.is(readFileSync(file, 'utf8'), '{}')
    await stagecraft(['init'], { cwd })
    assert.is(readFileSync(file, 'utf8'), text)
  }))

test.run()
