/** Projects with tasks of the user's: with an environment where one is reached, without one otherwise, and from what was kept. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InputError } from '../../../src/contracts.ts'
import { compiledKey, readCompiled } from '../../../src/session/compiled-project.ts'
import { type OpenOptions, openProject } from '../../../src/session/open-project.ts'
import { targetNames, taskIds } from '../../../src/session/target-names.ts'
import { stagecraft } from '../../support/cli.ts'
import { writeProject } from '../../support/session-project.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { testApp } from '../../support/test-app.ts'
import { told } from '../config/told.ts'

const test = suite('src/session/open-tasks')

const manifest = `project: {name: shop, registry: ghcr.io/acme/shop}
tasks:
  lint: {command: echo linted}
  smoke: {command: echo smoked, needs: [deploy]}
pipelines:
  ci: [lint]
  release: {targets: [ci, deploy], env: prod}
  preview: {targets: [ci, build], env: test}
environments: {prod: {hosts: [{name: node-1, address: 203.0.113.7}]}, test: {}}
`
const tasksOnly = 'project: {name: shop}\ntasks: {a: {command: echo a}, b: {command: echo b, needs: [a], env: [DB_PASSWORD]}}\n'

const open = (directory: string, targets: readonly string[], env?: string, more: Omit<OpenOptions, 'targets'> = {}) =>
  openProject({ config: 'stagecraft.yml', ...(env === undefined ? {} : { env }) }, testApp(directory).app, { ...more, targets })

async function refused(...args: Parameters<typeof open>): Promise<readonly string[]> {
  try {
    await open(...args)
  } catch (error) {
    if (error instanceof InputError) return told(error.diagnostics)
    throw error
  }
  return []
}

const inProject = (text: string, work: (directory: string) => Promise<void>) =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': text })
    await work(directory)
  })

test('tasks and pipelines of nothing else open no environment, whatever is asked for', () =>
  inProject(manifest, async (directory) => {
    for (const words of [['lint'], ['exec:lint'], ['ci'], ['ci', 'lint']]) {
      const project = await open(directory, words)
      assert.equal([project.deployment.environment, project.graph.order, project.targets], ['', ['exec:lint'], words])
    }
    assert.is((await open(directory, ['lint'], 'prod')).deployment.environment, '')
  }))

test('whatever reaches something built in is one graph with the environment', () =>
  inProject(manifest, async (directory) => {
    const project = await open(directory, ['smoke'], 'prod')
    assert.is(project.deployment.environment, 'prod')
    assert.ok(project.graph.only(['exec:smoke' as never]).order.includes('finalize:prod' as never))
    assert.equal((await open(directory, [], 'prod')).targets, ['deploy'])
  }))

test('a pipeline brings its environment; contradictions are told', () =>
  inProject(manifest, async (directory) => {
    assert.is((await open(directory, ['release'])).deployment.environment, 'prod')
    assert.is((await open(directory, ['release'], 'prod')).deployment.environment, 'prod')
    assert.equal(await refused(directory, ['release'], 'test'), ['- SC3110 pipeline `release` runs in `prod`, but `--env` says `test`'])
    assert.equal(await refused(directory, ['release', 'preview']), [
      '- SC3110 pipeline `release` runs in `prod`, and `preview` in `test`: run them one by one',
    ])
  }))

test('without an environment: what is missing, or what was probably meant', () =>
  inProject(manifest, async (directory) => {
    assert.equal(await refused(directory, ['deploy']), ['- SC3101 no environment given: add `--env` with one of `prod`, `test`'])
    assert.match(
      (await refused(directory, ['lnit']))[0] ?? '',
      /SC3104 no target or task is called `lnit`: expected a task or pipeline .* → lint$/,
    )
    writeProject(directory, { 'stagecraft.yml': tasksOnly })
    assert.equal(await refused(directory, ['a', 'deploy']), [
      '- SC3101 `deploy` needs an environment, and the manifest has none: add one under `environments`',
    ])
    assert.equal((await open(directory, [])).targets, ['exec:a', 'exec:b'])
    // What only an environment has is not offered.
    assert.equal(await refused(directory, ['bb']), ['- SC3104 no task or pipeline is called `bb`: expected one of a, b'])
    assert.equal(await refused(directory, ['build']), [
      '- SC3101 `build` needs an environment, and the manifest has none: add one under `environments`',
    ])
    writeProject(directory, { 'stagecraft.yml': 'project: {name: shop}\n' })
    assert.equal(await refused(directory, ['lint']), [
      '- SC3104 no task or pipeline is called `lint`: the manifest has no tasks yet; write one under `tasks`',
    ])
    assert.equal(await refused(directory, []), [
      '- SC3101 the manifest has no tasks and no environments yet: write a task under `tasks`, or say where to deploy under `environments`',
    ])
  }))

test('what a task writes into the context of an image is waited for, or left out', () =>
  inTemporaryDirectory(async (directory) => {
    const files = (needs: string) => ({
      'stagecraft.yml': `project: {name: shop}\ntasks: {gen: {command: x, outputs: ["api/gen/**"]}}\nservices: {api: {${needs}}}\nenvironments: {dev: {}}\n`,
      'docker-compose.yml': 'services: {api: {build: ./api}, db: {image: postgres}}\n',
      'api/Dockerfile': '',
    })
    writeProject(directory, files(''))
    assert.equal(await refused(directory, ['build'], 'dev'), [
      '3:12 SC1109 `build:api` has `api/gen/x` in its context `api`, which `gen` writes, and does not wait for it | `gen` writes `api/gen/**` | add `services.api.needs: [gen]`, or leave the files out in `.dockerignore`',
    ])
    const elsewhere = {
      'docker-compose.yml':
        'services: {api: {build: {context: ./web, additional_contexts: {lib: ./api, base: "docker-image://alpine"}}}}\n',
    }
    writeProject(directory, { ...files(''), ...elsewhere, 'web/Dockerfile': '' })
    assert.match(
      (await refused(directory, ['build'], 'dev'))[0] ?? '',
      '`build:api` has `api/gen/x` in its additional context `api`, which `gen` writes',
    )
    writeProject(directory, { ...files(''), ...elsewhere, 'api/.dockerignore': 'gen\n' })
    assert.equal(await refused(directory, ['build'], 'dev'), [])
    rmSync(join(directory, 'api/.dockerignore'))
    writeProject(directory, files('needs: [gen]'))
    assert.equal((await open(directory, ['build'], 'dev')).graph.only(['build:api' as never]).order, ['exec:gen', 'build:api'])
    writeProject(directory, { ...files(''), 'api/.dockerignore': 'gen\n' })
    assert.equal(await refused(directory, ['build'], 'dev'), [])
    writeProject(directory, {
      ...files(''),
      'stagecraft.yml': files('needs: [gen]')['stagecraft.yml'].replaceAll('api: {needs', 'db: {needs'),
    })
    assert.equal(await refused(directory, ['build'], 'dev'), ['3:17 SC1111 service `db` has `needs`, but its image is not built here'])
  }))

test('what was made of the manifest is kept by runs alone, and believed for exactly that manifest', () =>
  inProject(tasksOnly, async (directory) => {
    const path = join(directory, 'stagecraft.yml')
    const kept = join(directory, '.stagecraft/run/compiled.json')
    await open(directory, ['b'])
    assert.not.ok(existsSync(kept), 'looking leaves nothing behind')
    const first = await open(directory, ['b'], undefined, { writes: true })
    assert.ok(readCompiled(path, compiledKey(path, path)))
    const second = await open(directory, ['b'])
    assert.equal(second, { ...first, graph: second.graph })
    assert.equal(
      second.graph.order.map((id) => second.graph.task(id)),
      first.graph.order.map((id) => first.graph.task(id)),
    )
    assert.equal(
      second.warnings.map(({ code }) => code),
      ['SC1107'],
      'warnings are kept too',
    )
    writeFileSync(path, tasksOnly.replace('echo b', 'echo c'))
    assert.is(readCompiled(path, compiledKey(path, path)), undefined)
    assert.match(JSON.stringify((await open(directory, ['b'])).graph.task('exec:b' as never)), 'echo c')
  }))

test('a damaged, cut off or foreign file is as good as none', () =>
  inProject(tasksOnly, async (directory) => {
    const path = join(directory, 'stagecraft.yml')
    const kept = join(directory, '.stagecraft/run/compiled.json')
    await open(directory, ['b'], undefined, { writes: true })
    const whole = readFileSync(kept, 'utf8')
    for (const text of [
      '',
      '{',
      'null\nnull',
      whole.slice(0, -1),
      whole.replace('echo a', 'echo x'),
      whole.replace(/"form":\d+/, '"form":0'),
    ]) {
      writeFileSync(kept, text)
      assert.is(readCompiled(path, compiledKey(path, path)), undefined, text.slice(0, 20))
      assert.equal((await open(directory, ['b'])).graph.order, ['exec:a', 'exec:b'])
    }
    assert.is(compiledKey(join(directory, 'nowhere.yml'), 'x'), undefined)
  }))

test('completion knows tasks, pipelines, and ids of the environment', () =>
  inProject(manifest, async (directory) => {
    const { app } = testApp(directory)
    const names = await targetNames({ config: 'stagecraft.yml' }, app)
    for (const name of ['deploy', 'release', 'lint', 'exec:lint', 'smoke', 'exec:smoke']) assert.ok(names.includes(name), name)
    assert.not.ok(names.includes('finalize:prod'))
    assert.ok((await taskIds({ config: 'stagecraft.yml', env: 'prod' }, app)).includes('finalize:prod'))
  }))

test('run, plan, graph and explain take names of tasks and pipelines', () =>
  inProject(tasksOnly, async (directory) => {
    const run = (...argv: string[]) => stagecraft(argv, { cwd: directory })
    assert.match((await run('graph', 'b')).stdout, /^b\n└─ a\n/)
    assert.match((await run('graph', '--format', 'json')).stdout, 'exec:b')
    assert.match((await run('explain', 'b')).stdout, /^b {2}/)
    const plan = await run('plan', 'exec:b')
    assert.equal([plan.code, plan.stdout.split('\n')[0]], [0, 'Project: shop'])
    assert.is(JSON.parse((await run('plan', 'b', '--format', 'json')).stdout).env, null)
    const dry = await run('run', 'b', '--dry-run')
    assert.equal([dry.code, dry.stdout.split('\n')[0]], [0, 'Project: shop'])
    assert.not.ok(existsSync(join(directory, '.stagecraft/run')), 'nothing was written')
  }))

test.run()
