import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { options, run } from '../../../src/commands/init.ts'
import { loadCompose } from '../../../src/config/compose-file.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { resolveDeployment } from '../../../src/config/resolve.ts'
import { type App, type GlobalOptions, InputError } from '../../../src/contracts.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { CapturedStream } from '../../support/captured-stream.ts'
import { inDirectory } from '../../support/directory.ts'
import { plant } from '../files/tree.ts'

const test = suite('src/commands/init')

const shop = {
  'compose.yaml': 'services:\n  api:\n    build: api\n  db:\n    image: postgres:17\n',
  'api/Dockerfile': 'FROM busybox\n',
  'migrations/001_init.sql': 'select 1;',
}

interface Setting extends Partial<GlobalOptions> {
  readonly flags?: Readonly<Record<string, unknown>>
  /** What a person types; without it there is nobody. */
  readonly typed?: string
  readonly controller?: AbortController
}

async function init(directory: string, { flags = {}, typed, controller = new AbortController(), ...globals }: Setting = {}) {
  const [stdout, stderr] = [new CapturedStream(), new CapturedStream()]
  const stdin = Object.assign(new PassThrough(), { isTTY: typed !== undefined })
  stderr.isTTY = typed !== undefined
  if (typed !== undefined && typed !== '…') stdin.end(typed)
  const app: App = {
    cwd: directory,
    env: { PATH: '/none' },
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout.asTerminal(),
    stderr: stderr.asTerminal(),
    signal: controller.signal,
    now: () => new Date(0),
  }
  const given = { config: 'stagecraft.yml', verbose: false, quiet: false, dryRun: false, ...globals }
  const code = await within(5000, run(options.parse(flags), given, app))
  return { code, stdout: stdout.text, stderr: stderr.text }
}

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error = await rejects(promise)
  assert.instance(error, InputError)
  return (error as InputError).diagnostics
    .map(({ code, message, suggestion = '', notes = [] }) => [code, message, suggestion, ...notes.map((note) => note.message)].join(' '))
    .join('\n')
}
const read = (directory: string, name = 'stagecraft.yml') => readFileSync(join(directory, name), 'utf8')

test('a manifest is written, ignored folders too, and then it is valid', () =>
  inDirectory(async (directory) => {
    plant(join(directory, 'shop'), shop)
    execFileSync('git', ['init', '-q', directory])
    execFileSync('git', ['-C', directory, 'remote', 'add', 'origin', 'git@github.com:acme/shop.git'])
    const written = await init(join(directory, 'shop'))
    assert.is(written.code, 0)
    assert.is(written.stdout, 'wrote stagecraft.yml\nwrote .gitignore\n')
    assert.match(
      written.stderr,
      /note: `\.\/api` has no `\.dockerignore`.*\nnote: `docker` was not found.*\nnext:\n {2}1\. replace what is marked REPLACE/,
    )
    const manifest = read(directory, 'shop/stagecraft.yml')
    for (const line of [
      'name: shop',
      'registry: ghcr.io/acme/shop',
      'compose_file: compose.yaml',
      'service: db',
      'path: migrations',
      'REPLACE',
    ])
      assert.match(manifest, line)
    const [loaded, compose] = [
      await loadConfig(join(directory, 'shop/stagecraft.yml')),
      await loadCompose(join(directory, 'shop/compose.yaml')),
    ]
    assert.ok(loaded.ok && compose.ok)
    const deployment = resolveDeployment(loaded.value, compose.value, 'prod')
    assert.equal(deployment.ok ? [] : deployment.diagnostics, [])
    const again = await init(join(directory, 'shop'))
    assert.equal(again, { code: 0, stdout: 'stagecraft.yml is valid: project shop, environment prod\n', stderr: '' })
    assert.is(read(directory, 'shop/stagecraft.yml'), manifest)
  }))

test('a dry run prints the manifest and touches nothing', () =>
  inDirectory(async (directory) => {
    plant(directory, shop)
    const { code, stdout, stderr } = await init(directory, { dryRun: true, flags: { projectName: 'store' }, typed: '…' })
    assert.equal([code, stderr], [0, ''])
    assert.match(stdout, 'name: store\n')
    assert.not(existsSync(join(directory, 'stagecraft.yml')) || existsSync(join(directory, '.gitignore')))
  }))

test('what is said on the command line is written, and nothing needs replacing', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'compose.yml': 'services: {web: {image: nginx}}' })
    const { stderr } = await init(directory, {
      env: 'staging',
      flags: { host: 'root@10.0.0.1', projectName: 'web' },
      config: './deploy.yml',
    })
    assert.not.match(stderr, 'REPLACE')
    assert.match(stderr, 'plan --env staging')
    assert.match(read(directory, 'deploy.yml'), /staging:\n.*\n {4}hosts:\n {6}- root@10.0.0.1\n/)
    assert.not.match(read(directory, 'deploy.yml').split('project:')[1] ?? '', /REPLACE|name: web.*guess/)
    assert.is((await init(directory, { quiet: true, flags: { force: true } })).stderr, '')
  }))

test('a person is asked for whole lines, again when the answer will not do', () =>
  inDirectory(async (directory) => {
    plant(directory, shop)
    const { stderr } = await init(directory, { typed: 'My Shop\nmy-shop\n\n10.0.0.1 or so\ndeploy@10.0.0.1\n' })
    assert.match(stderr, /^Project name \[stagecraft-\w+\]: {3}expected lower-case/)
    assert.match(stderr, /Environment \[prod\]: Server, as .*: {3}expected `\[user@\]address\[:port\]`, found "10.0.0.1 or so"\n/)
    assert.match(read(directory), 'name: my-shop\n')
    assert.match(read(directory), '- deploy@10.0.0.1\n')
  }))

test('at the end of input defaults are taken, and a local environment needs no server', () =>
  inDirectory(async (directory) => {
    plant(directory, shop)
    assert.is((await init(directory, { typed: 'shop\ndev' })).code, 0)
    assert.match(read(directory), 'driver: local')
  }))

test('an interrupted question ends the command and writes nothing', () =>
  inDirectory(async (directory) => {
    plant(directory, shop)
    const controller = new AbortController()
    const asked = init(directory, { typed: '…', controller })
    setImmediate(() => controller.abort(new Error('interrupted')))
    await rejects(asked, /interrupted/)
    assert.not(existsSync(join(directory, 'stagecraft.yml')))
  }))

test('an invalid manifest is told line by line, and not overwritten', () =>
  inDirectory(async (directory) => {
    plant(directory, { ...shop, 'stagecraft.yml': 'project: {nam: x}\nenvironments: {}\n' })
    assert.match(await problemOf(init(directory)), /SC10\d\d/)
    assert.match(read(directory), 'nam: x')
  }))

test('force writes anew and keeps every earlier manifest', () =>
  inDirectory(async (directory) => {
    plant(directory, { ...shop, 'stagecraft.yml': 'first', '.gitignore': '.stagecraft/\n' })
    assert.is((await init(directory, { flags: { force: true } })).stdout, 'wrote stagecraft.yml, the old one is stagecraft.yml.bak\n')
    writeFileSync(join(directory, 'stagecraft.yml'), 'second')
    await init(directory, { flags: { force: true } })
    assert.equal([read(directory, 'stagecraft.yml.bak'), read(directory, 'stagecraft.yml.bak.2')], ['first', 'second'])
    assert.is(read(directory, '.gitignore'), '.stagecraft/\n')
  }))

test('without a Compose file it says what to do', () =>
  inDirectory(async (directory) => {
    assert.match(
      await problemOf(init(directory, { flags: { host: 'deploy@203.0.113.7' } })),
      /SC1070 there is neither a Compose file nor a Dockerfile here.*write a `docker-compose.yml`/,
    )
    plant(directory, { Dockerfile: 'FROM x\nEXPOSE 3000\n' })
    assert.match(await problemOf(init(directory)), /SC1070 there is a Dockerfile but no Compose file here.*--with-compose/)
    assert.match(await problemOf(init(directory, { typed: 'n\n' })), /SC1070/)
    assert.not(existsSync(join(directory, 'docker-compose.yml')))
  }))

for (const [how, setting] of [
  ['on request', { flags: { withCompose: true } }],
  ['when a person agrees', { typed: 'y\n' }],
] as const) {
  test(`a Compose file for the Dockerfile is written ${how}`, () =>
    inDirectory(async (directory) => {
      plant(directory, { Dockerfile: 'FROM x\nEXPOSE 3000\n' })
      const dry = await init(directory, { dryRun: true, flags: { withCompose: true } })
      assert.match(dry.stdout, /\n---\n# docker-compose.yml\nservices:\n {2}web:/)
      assert.not(existsSync(join(directory, 'docker-compose.yml')))
      assert.is((await init(directory, setting)).stdout, 'wrote docker-compose.yml\nwrote stagecraft.yml\nwrote .gitignore\n')
      assert.match(read(directory, 'docker-compose.yml'), '3000-3001:3000')
      assert.match(read(directory), '#   web  built from .')
    }))
}

test('without anything to deploy, the manifest is about tasks: those of package.json, or an example', () =>
  inDirectory(async (directory) => {
    const example = await init(directory)
    assert.is(example.stdout, 'wrote stagecraft.yml\nwrote .gitignore\n')
    assert.match(read(directory), '#   compile:')
    assert.match(example.stderr, 'write tasks into stagecraft.yml')
    const scripts = { build: 'tsc', pretest: 'x', test: 'x', 'test:unit': 'x', prepare: 'x', dev: 'vite', start: 'node .' }
    plant(directory, {
      'package.json': JSON.stringify({ scripts, workspaces: ['packages/*'] }),
      'package-lock.json': '{}',
      Dockerfile: 'FROM x\n',
    })
    const written = await init(directory, { flags: { force: true } })
    assert.match(written.stderr, /1\. say in stagecraft.yml .*\n {2}2\. stagecraft run build\n/)
    const loaded = await loadConfig(join(directory, 'stagecraft.yml'))
    const config = loaded.ok ? loaded.value.config : undefined
    assert.equal(Object.keys(config?.tasks ?? {}), ['install', 'build', 'test', 'test-unit'])
    assert.match(read(directory), 'inputs: [package.json, package-lock.json, "packages/*/package.json"]')
    assert.match(read(directory), '  #   command: [npm, run, dev]')
    assert.match(read(directory), '  ci: [build, test, test-unit]')
    assert.match((await init(directory)).stdout, 'is valid: project ')
  }))

test('a package.json nobody can read suggests nothing', () =>
  inDirectory(async (directory) => {
    for (const text of ['{', '[]', '{"scripts":{"a":1}}', '{"workspaces":["../x y"],"scripts":{"a":"b"}}']) {
      plant(directory, { 'package.json': text })
      await init(directory, { flags: { force: true } })
      assert.match(read(directory), '#   compile:')
    }
  }))

const mistakes: readonly (readonly [string, Setting, RegExp])[] = [
  ['a name', { flags: { projectName: 'My Shop' } }, /SC1011 --project-name: expected lower-case .* my-shop/],
  ['an environment', { env: 'Prod!' }, /SC1011 --env: expected lower-case .* prod/],
  ['a host', { flags: { host: 'a b' } }, /SC1011 --host: expected `\[user@\]address/],
  ['a folder', { config: 'none/stagecraft.yml' }, /SC1001 the folder of `none\/stagecraft.yml` does not exist/],
]
for (const [what, setting, message] of mistakes) {
  test(`${what} that cannot be one is refused`, () =>
    inDirectory(async (directory) => {
      plant(directory, shop)
      assert.match(await problemOf(init(directory, setting)), message)
    }))
}

test('a Compose file that Compose would refuse is told line by line', () =>
  inDirectory(async (directory) => {
    plant(directory, { 'compose.yml': 'services:\n  web:\n    imag: nginx\n' })
    assert.match(await problemOf(init(directory)), /SC1003/)
  }))

test('a file that cannot be written is a failure of the world', () =>
  inDirectory(async (directory) => {
    plant(directory, shop)
    mkdirSync(join(directory, '.gitignore'))
    const error = await rejects(init(directory))
    assert.instance(error, TaskFailure)
    assert.match(error.message, 'cannot write `.gitignore`: EISDIR')
  }))

test.run()
