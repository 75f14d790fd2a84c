/** One graph of built-in and user's tasks: who waits for whom, and that lists never make a circle. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../../graph/task-graph.ts'
import type { Task, TaskGraph } from '../../../graph/types.ts'
import { parseConfig } from '../../../src/config/load.ts'
import { reachOf } from '../../../src/pipelines/named-tasks.ts'
import { withOutwardOrder } from '../../../src/pipelines/outward-order.ts'
import { projectTasks } from '../../../src/pipelines/project-tasks.ts'
import { userProject } from '../../../src/pipelines/user-project.ts'
import { id, task } from '../../support/fake-run.ts'
import { accepted, told } from '../config/told.ts'

const test = suite('src/pipelines/project-tasks')

/** build:api ─▶ push:api ─▶ render:h ─▶ upload:h ─▶ rollout:api@h ─▶ finalize:prod */
const builtIn: readonly Task[] = [
  task('build:api'),
  task('push:api', { needs: ['build:api'] }),
  task('render:h', { needs: ['push:api'] }),
  task('upload:h', { needs: ['render:h'] }),
  task('rollout:api@h', { after: ['upload:h'] }),
  task('finalize:prod', { after: ['rollout:api@h'] }),
]

const loadedOf = (text: string) =>
  accepted(
    parseConfig(`project: {name: shop}\nenvironments: {prod: {}}\n${text}`, '/project/stagecraft.yml', { shownAs: 'stagecraft.yml' }),
  )

function graphOf(text: string, ...words: string[]): TaskGraph {
  return accepted(taskGraph(projectTasks(loadedOf(text), builtIn, words)))
}
const before = (graph: TaskGraph, name: string) => graph.only([id(name)]).order.filter((one) => one !== name)

const tasks = 'tasks: {lint: {command: x}, test: {command: x}, gen: {command: x}, smoke: {command: x, needs: [deploy]}}\n'

test('a task needs tasks, all of a pipeline, all of a built-in target, or one id', () => {
  const graph = graphOf(
    'tasks: {a: {command: x}, b: {command: x, needs: [ci, "build:api"], after: [render, "exec:a"]}}\npipelines: {all: [a], ci: [all, build]}\n',
    'b',
  )
  const { needs, after } = graph.task(id('exec:b'))
  assert.equal(
    [needs, after],
    [
      ['build:api', 'exec:a'],
      ['exec:a', 'render:h'],
    ],
  )
})

test('`services.api.needs`: its build comes after, order only', () => {
  const graph = graphOf(`${tasks}services: {api: {needs: [gen]}}\n`, 'build')
  assert.equal([graph.task(id('build:api')).needs, graph.task(id('build:api')).after], [[], ['exec:gen']])
})

test('`[ci, deploy]`: what a deploy touches outside waits for ci; building and linting do not wait for each other', () => {
  const graph = graphOf(`${tasks}pipelines: {ci: [lint, test, build], release: [ci, deploy]}\n`, 'release')
  assert.equal(graph.task(id('push:api')).after, ['exec:lint', 'exec:test'])
  assert.equal(before(graph, 'build:api'), [])
  assert.equal(graph.task(id('upload:h')).after, [], 'behind the push anyway')
  assert.equal(before(graph, 'finalize:prod').includes(id('exec:lint')), true)
  const fromWords = graphOf(`${tasks}pipelines: {ci: [lint, test, build]}\n`, 'ci', 'deploy')
  assert.equal(fromWords.task(id('push:api')).after, ['exec:lint', 'exec:test'])
})

test('a list that is not wanted orders nothing, and what is listed first waits for nobody', () => {
  assert.equal(graphOf(`${tasks}pipelines: {release: [lint, deploy]}\n`, 'deploy').task(id('push:api')).after, [])
  assert.equal(graphOf(tasks, 'deploy', 'lint').task(id('push:api')).after, [])
})

test('`deploy: {needs: [ci]}` holds whenever a deploy is wanted, by its name, in a list or for a task', () => {
  const text = 'tasks: {ci: {command: x}, smoke: {command: x, needs: [deploy]}}\npipelines: {deploy: {needs: [ci]}, all: [smoke]}\n'
  for (const word of ['deploy', 'smoke', 'all']) assert.equal(graphOf(text, word).task(id('push:api')).after, ['exec:ci'], word)
  assert.equal(graphOf(text, 'build').task(id('push:api')).after, [])
})

test('what belongs to an earlier target is not held back, so no circle comes of a list', () => {
  const graph = graphOf(`${tasks}pipelines: {all: [smoke, lint, deploy]}\n`, 'all')
  assert.equal(graph.task(id('push:api')).after, [])
  assert.equal(before(graph, 'exec:smoke').includes(id('finalize:prod')), true)
})

test('a task of an environment that is not there is only missed by who wants it', () => {
  const text = 'tasks: {a: {command: x, needs: ["push:web"]}, b: {command: x, needs: [a]}, c: {command: x}}\n'
  const loaded = loadedOf(text)
  const names = (word: string) => projectTasks(loaded, builtIn, [word]).map((one) => one.id)
  assert.equal(
    names('c').filter((name) => name.startsWith('exec')),
    ['exec:c'],
  )
  const wanted = taskGraph(projectTasks(loaded, builtIn, ['b']))
  assert.match(wanted.ok ? '' : told(wanted.diagnostics).join(), 'SC2002 `exec:a` depends on `push:web`, which does not exist')
})

test('the environments that pipelines ask for are found through pipelines and tasks', () => {
  const { config } = loadedOf(`${tasks}pipelines: {release: {targets: [deploy], env: prod}, nightly: [lint, release]}\n`)
  assert.equal([...reachOf(['nightly'], config).environments], [['prod', 'release']])
  assert.equal([reachOf(['nightly'], config).isBuiltIn, reachOf(['lint'], config).isBuiltIn], [true, false])
})

test('tasks that lead to something built in are set apart', () => {
  const user = userProject(loadedOf(`${tasks}pipelines: {ci: [lint, "exec:test"], more: [ci, gen], all: [more, smoke]}\n`), [])
  assert.equal(
    [user.tasks.map((one) => one.id), user.mixed, user.environments, user.project],
    [['exec:lint', 'exec:test', 'exec:gen'], ['smoke'], ['prod'], 'shop'],
  )
  assert.equal(
    Object.entries(user.pipelines).map(([name, { targets, isMixed }]) => [name, targets, isMixed]),
    [
      ['ci', ['lint', 'test'], false],
      ['more', ['lint', 'test', 'gen'], false],
      ['all', ['lint', 'test', 'gen', 'smoke'], true],
    ],
  )
})

test('whatever lists there are, no cycle comes of them, and what is outward waits for what is listed before', () => {
  const size = 8
  const ids = Array.from({ length: size }, (_, at) => id(`t:${at}`))
  const edges = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 12 })
  const lists = fc.array(fc.array(fc.array(fc.nat(size - 1), { minLength: 1, maxLength: 3 }), { maxLength: 3 }), { maxLength: 3 })
  fc.assert(
    fc.property(edges, lists, fc.array(fc.boolean(), { minLength: size, maxLength: size }), (pairs, given, outward) => {
      const plain = ids.map((name, at) =>
        task(name, { needs: pairs.filter(([from, to]) => from === at && to < from).map(([, to]) => ids[to] as string) }),
      )
      const isOutward = (one: Task) => outward[ids.indexOf(one.id)] === true
      const wanted = given.map((list) => list.map((target) => target.map((at) => ids[at] as Task['id'])))
      const graph = accepted(taskGraph(withOutwardOrder(plain, wanted, isOutward)))
      const only = accepted(taskGraph(plain))
      const [list] = wanted
      if (wanted.length !== 1 || !list) return
      for (const [at, target] of list.entries()) {
        const earlier = new Set(only.only(list.slice(0, at).flat()).order)
        for (const name of only.only(target).order) {
          if (!isOutward(only.task(name)) || earlier.has(name)) continue
          for (const first of earlier) assert.ok(graph.only([name]).order.includes(first), `${name} waits for ${first}`)
        }
      }
      for (const name of ids) {
        if (isOutward(plain[ids.indexOf(name)] as Task)) continue
        assert.equal(graph.task(name), only.task(name), 'what stays on this machine gets no edge')
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
