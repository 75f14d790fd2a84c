/** run, deploy, build, plan, graph and explain through the whole program, as far as they go without a host. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
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
    assert.match(other.stderr, 'SC3120')
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

const own = {
  'stagecraft.yml': `project: {name: shop}
tasks:
  gen: {command: "mkdir -p out && cat src/a > out/a", inputs: ["src/**"], outputs: ["out/**"], env: [MODE], retries: 1, timeout: 1m}
  use: {command: "cat out/a", inputs: [], needs: [gen]}
  api: {command: "sleep 1000", service: {ready: {tcp: "127.0.0.1:4000"}}}
  always: {command: "true", cache: false}
`,
  'src/a': 'one',
  'src/b': 'two',
}

test("explain: a task of the user's by its bare name, what changed by name, and nothing that is no part of it", () =>
  inProject(async (_, directory) => {
    const run = (...argv: string[]) => stagecraft(argv, { cwd: directory, env: { PATH: process.env['PATH'] ?? '', MODE: 'fast' } })
    assert.is((await run('run', 'use')).code, 0)
    const fresh = (await run('explain', 'gen')).stdout
    assert.match(fresh, 'gen  is up to date')
    assert.match(fresh, 'unchanged: 2 files')
    assert.match(fresh, 'in the local cache, in the project folder')
    writeFileSync(join(directory, 'src/b'), 'three')
    const text = readFileSync(join(directory, 'stagecraft.yml'), 'utf8')
    writeFileSync(join(directory, 'stagecraft.yml'), text.replace('retries: 1, timeout: 1m', 'retries: 2, timeout: 9m'))
    const changed = (await run('explain', 'gen')).stdout
    assert.match(changed, /would run: src\/b changed\n/)
    assert.not.match(changed, /retries|timeout/)
    assert.match(changed, /unchanged: 1 file, /)
    assert.match((await run('explain', 'gen', '--verbose')).stdout, /\n {4}src\/a\n/)
    assert.match((await run('explain', 'use')).stdout, 'may run: it waits for the result of gen')
    assert.match((await run('explain', 'always')).stdout, 'always  always runs: it says `cache: false`')
    assert.match((await run('explain', 'api')).stdout, 'ready when 127.0.0.1:4000 accepts a connection')
  }, own))

test('explain: a task that was spared because its need made the same result again says so, and one that was restored does not', () =>
  inProject(
    async (_, directory) => {
      const run = (...argv: string[]) => stagecraft(argv, { cwd: directory, env: { PATH: process.env['PATH'] ?? '' } })
      const edit = async (text: string): Promise<void> => {
        writeFileSync(join(directory, 'schema'), text)
        assert.is((await run('run', 'use')).code, 0)
      }
      const spared = 'In the last run gen ran again and made the same result, so nothing changed for this task.'
      await edit('a\n')
      assert.not.match((await run('explain', 'use')).stdout, 'In the last run')
      await edit('a\n# a comment\n')
      assert.match((await run('explain', 'use')).stdout, spared)
      assert.equal(JSON.parse((await run('explain', 'use', '--format', 'json')).stdout).sparedBy, ['exec:gen'])
      await edit('b\n')
      // Its need ran, and made what it had made before the last change: the task was put back from the cache.
      await edit('a\n# another\n')
      const restored = (await run('explain', 'use')).stdout
      assert.not.match(restored, 'In the last run')
      assert.match(restored, 'was restored (takes')
    },
    {
      'stagecraft.yml': `project: {name: shop}
tasks:
  gen: {command: "grep -v '#' schema > gen.txt", inputs: [schema], outputs: [gen.txt]}
  use: {command: "cat gen.txt > out.txt", inputs: [], outputs: [out.txt], needs: [gen]}
`,
    },
  ))

test('explain: outputs that were edited or deleted are named', () =>
  inProject(async (_, directory) => {
    const run = (...argv: string[]) => stagecraft(argv, { cwd: directory, env: { PATH: process.env['PATH'] ?? '' } })
    await run('run', 'gen')
    writeFileSync(join(directory, 'out/a'), 'by hand')
    assert.match((await run('explain', 'gen')).stdout, 'edited  output out/a')
    const json = JSON.parse((await run('explain', 'gen', '--format', 'json')).stdout)
    assert.equal([json.schema_version, json.outputs, json.storedIn], [1, [{ path: 'out/a', change: 'edited' }], ['local']])
  }, own))

test('graph --state: what is predicted, offline; --out writes a file and prints its path', () =>
  inProject(async (run, directory) => {
    assert.match((await run('graph', 'gen', '--state')).stdout, 'gen  would run: no result here yet')
    assert.not.match((await run('graph', 'gen')).stdout, 'would run')
    const { stdout, code } = await run('graph', '--format', 'html', '--out', 'drawn/graph.html')
    assert.equal([code, stdout], [0, 'drawn/graph.html\n'])
    const [html, plain] = [
      readFileSync(join(directory, 'drawn/graph.html'), 'utf8'),
      (await run('graph', '--format', 'html', '--no-state')).stdout,
    ]
    assert.match(html, '"hasStates":true')
    assert.match(html, '"origin":"stagecraft.yml:3"')
    assert.not.match(html, directory)
    assert.match(plain, '"hasStates":false')
    const refused = await run('graph', '--out', 'src/a/graph.txt')
    assert.is(refused.code, 2)
    assert.match(refused.stderr, 'it cannot be written')
  }, own))

test('graph --state of a deploy asks nobody: what only targets know is unknown', () =>
  inProject(async (run) => {
    const { stdout, code } = await run('graph', '--env', 'prod', '--state', '--format', 'json')
    assert.is(code, 0)
    const { tasks } = JSON.parse(stdout) as { tasks: { id: string; state: string; detail: string }[] }
    assert.equal(
      [tasks.find(({ id }) => id === 'build:api')?.state, tasks.find(({ id }) => id === 'build:api')?.detail],
      ['unknown', 'its target was not asked'],
    )
  }, built))

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
