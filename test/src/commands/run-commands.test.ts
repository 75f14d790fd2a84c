/** run, deploy, build, plan, graph and explain through the whole program, as far as they go without a host. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { stagecraft } from '../../support/cli.ts'
import { golden } from '../../support/golden.ts'
import { writeProject } from '../../support/session-project.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/commands/run-commands')

const built = {
  'stagecraft.yml': `project: {name: shop, registry: ghcr.io/acme/shop}
environments:
  prod: {hosts: [{name: node-1, address: 203.0.113.7}]}
  dev: {driver: local}
`,
  'docker-compose.yml':
    'services:\n  api: {build: ./api, healthcheck: {test: [CMD, "true"]}}\n  web: {image: nginx, depends_on: [api], healthcheck: {test: [CMD, "true"]}}\n',
  'api/Dockerfile': 'FROM scratch\n',
}

async function inProject(
  work: (run: (...argv: string[]) => ReturnType<typeof stagecraft>, directory: string) => Promise<void>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    writeProject(directory, files)
    await work((...argv) => stagecraft(argv, { cwd: directory }), directory)
  })
}

test('run: a task runs, and a second time it is up to date', () =>
  inProject(async (run, directory) => {
    const first = await run('run', 'render:node-1', '--env', 'prod', '--format', 'text')
    assert.is(first.code, 0, first.stderr)
    assert.match(first.stderr, /▶ render:node-1/)
    assert.match(first.stdout, '1 ran')
    const second = await run('run', 'render', '--env', 'prod', '--format', 'text')
    assert.equal([second.code, second.stderr], [0, ''])
    assert.match(second.stdout, 'nothing to do')
    const forced = await run('run', 'render', '--env', 'prod', '--format', 'text', '--force=render:*', '-j', '2')
    assert.match(forced.stderr, 'forced')
    const other = await run('run', 'render', '--env', 'prod', '--format', 'text', '--force=build:*', '--continue')
    assert.is(other.stderr, '')
    assert.not.ok(existsSync(join(directory, '.stagecraft', 'releases.json')), 'nothing was released')
  }))

test('run --format json: events on stdout, the summary last; words on stderr', () =>
  inProject(async (run) => {
    const { code, stdout, stderr } = await run('run', 'render', '--env', 'prod', '--format', 'json')
    assert.is(code, 0)
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; task?: string; ran?: number })
    assert.equal(
      records.map(({ type, task }) => [type, task]),
      [
        ['started', 'render:node-1'],
        ['finished', 'render:node-1'],
        ['summary', undefined],
      ],
    )
    assert.is(records.at(-1)?.ran, 1)
    assert.not.match(stderr, 'done in', 'the summary is a record among the others')
  }))

test('a deploy needs a version to be recorded under', () =>
  inProject(async (run) => {
    const { code, stderr } = await run('deploy', '--env', 'prod')
    assert.is(code, 1)
    assert.match(stderr, 'error[SC3106]: this release has no version: commit the project to git, or name one with `--version`')
  }))

test('a target nobody knows is an error before anything is done', () =>
  inProject(async (run, directory) => {
    for (const argv of [
      ['run', 'bulid'],
      ['graph', 'bulid'],
      ['explain', 'bulid'],
      ['build', '--services', 'nobody'],
    ]) {
      const { code, stderr } = await run(...argv, '--env', 'prod')
      assert.is(code, 1, stderr)
      assert.match(stderr, 'error[SC3104]')
    }
    assert.match((await run('plan', '--env', 'prod', '--services', 'wep')).stderr, 'no service is called `wep`')
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
  }, built))

test('build: of an environment with nothing to build, nothing is done', () =>
  inProject(async (run) => {
    const { code, stdout } = await run('build', '--env', 'prod')
    assert.is(code, 0)
    assert.match(stdout, 'nothing to do')
  }))

test('plan --offline: what it can know without asking anyone, and nothing is written', () =>
  inProject(async (run, directory) => {
    const { code, stdout } = await run('plan', '--env', 'prod', '--offline', '--version', 'v1')
    assert.is(code, 0)
    golden('plan/offline.txt', stdout)
    const json = JSON.parse((await run('plan', '--env', 'prod', '--offline', '--version', 'v1', '--format', 'json')).stdout) as {
      schema_version: number
      tasks: { id: string; services: string[]; hosts: string[]; state: string }[]
    }
    assert.is(json.schema_version, 1)
    const roll = json.tasks.find(({ id }) => id === 'rollout:api@node-1')
    assert.equal([roll?.services, roll?.hosts, roll?.state], [['api'], ['node-1'], 'may-run'])
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
  }, built))

test('plan --services: their tasks, and what those depend on', () =>
  inProject(async (run) => {
    const { stdout } = await run('plan', '--env', 'prod', '--offline', '--services', 'api', '--version', 'v1')
    assert.match(stdout, 'rollout:api@node-1')
    assert.not.match(stdout, 'rollout:web@node-1')
  }, built))

test('--dry-run of a run is its plan', () =>
  inProject(async (run, directory) => {
    const { code, stdout } = await run('run', 'render', '--env', 'prod', '--dry-run')
    assert.is(code, 0)
    assert.match(stdout, /render:node-1 {2}run/)
    const { stdout: json } = await run('run', 'render', '--env', 'prod', '--dry-run', '--format', 'json', '--force')
    assert.equal((JSON.parse(json) as { tasks: { reason: string }[] }).tasks[0]?.reason, 'forced')
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
  }))

test('graph: every form, any target, and the kinds', () =>
  inProject(async (run) => {
    for (const [format, expected] of [
      ['tree', 'finalize:prod'],
      ['dot', 'digraph'],
      ['mermaid', 'flowchart'],
      ['json', '"id": "build:api"'],
    ] as const) {
      const { code, stdout } = await run('graph', '--env', 'prod', '--format', format)
      assert.is(code, 0)
      assert.match(stdout, expected)
    }
    assert.not.match((await run('graph', 'build', '--env', 'prod')).stdout, 'finalize')
    golden('graph/kinds.txt', (await run('graph', '--kinds')).stdout)
  }, built))

test('explain: what a task is made from, and that it never ran here; then that nothing changed', () =>
  inProject(async (run) => {
    const first = await run('explain', 'render:node-1', '--env', 'prod', '--offline')
    assert.is(first.code, 0)
    assert.match(first.stdout, 'it never finished in this checkout')
    await run('run', 'render', '--env', 'prod')
    assert.match((await run('explain', 'render:node-1', '--env', 'prod', '--offline')).stdout, 'is up to date: unchanged (local)')
    const json = JSON.parse((await run('explain', 'render:node-1', '--env', 'prod', '--offline', '--format', 'json')).stdout)
    assert.equal([json.schema_version, json.ranBefore, json.prediction.state], [1, true, 'fresh'])
    const unknown = await run('explain', 'rollout:web@node-1', '--env', 'prod', '--offline')
    assert.match(unknown.stdout, 'could not be judged: not asked (--offline)')
  }))

test('explain: a target is not a task', () =>
  inProject(async (run) => {
    const { code, stderr } = await run('explain', 'deploy', '--env', 'prod')
    assert.is(code, 1)
    assert.match(stderr, '`deploy` is a target, not a task: explain one of')
  }))

test('warnings are told with --verbose only; colour only where it is asked for', () =>
  inProject(async (run) => {
    assert.match((await run('run', 'render', '--env', 'prod', '--verbose')).stderr, 'SC1060')
    assert.not.match((await run('run', 'render', '--env', 'prod')).stderr, 'SC1060')
    const coloured = await run('plan', '--env', 'prod', '--offline', '--color', '--version', 'v1')
    assert.match(coloured.stdout, '\u001b[')
    assert.not.match((await run('plan', '--env', 'prod', '--offline', '--version', 'v1')).stdout, '\u001b[')
  }))

test.run()
