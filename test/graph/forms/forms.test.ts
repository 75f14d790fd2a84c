import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { drawDot } from '../../../graph/forms/dot.ts'
import type { FormOptions, TaskState } from '../../../graph/forms/form.ts'
import { graphJson } from '../../../graph/forms/json.ts'
import { drawMermaid } from '../../../graph/forms/mermaid.ts'
import { drawTree } from '../../../graph/forms/tree.ts'
import type { Phase, Task, TaskGraph, TaskId } from '../../../graph/types.ts'
import { golden } from '../../support/golden.ts'
import { graphOf, release, task } from '../tasks.ts'

const test = suite('graph/forms')

const phaseOf = ({ kind }: Task): Phase => (kind === 'render' || kind === 'upload' ? 'push' : (kind as Phase))
const text = (graph: TaskGraph, stateOf?: FormOptions['stateOf']) =>
  `${JSON.stringify(graphJson(graph, { phaseOf, ...(stateOf ? { stateOf } : {}) }), null, 2)}\n`
const states = (id: TaskId): TaskState | undefined => {
  if (id.startsWith('build:')) return { name: 'fresh', detail: 'unchanged (local)' }
  if (id === 'upload:node-1') return { name: 'run', detail: 'bundle\nchanged' }
  return id.startsWith('rollout:') ? { name: 'may-run', detail: 'waits for upload:node-1' } : undefined
}

for (const [name, draw] of [
  ['tree.txt', drawTree],
  ['dot.txt', drawDot],
  ['mermaid.txt', drawMermaid],
] as const) {
  test(`draws a release as ${name}`, () => golden(`graph/release-${name}`, draw(release())))
  test(`draws states in ${name}`, () => golden(`graph/states-${name}`, draw(release(), { stateOf: states })))
  test(`${name} of the same tasks is the same, however they are listed`, () => {
    const { order } = release()
    const graph = graphOf(...order.map((id) => release().task(id)))
    assert.is(draw(graph), draw(release()))
  })
}

test('tasks are called what they are said to be called, everywhere in a drawing', () => {
  const graph = graphOf(task('exec:a'), task('exec:b', { needs: ['exec:a'] }), task('exec:c', { needs: ['exec:a', 'exec:b'] }))
  const nameOf = (id: TaskId): string => id.replace('exec:', '')
  for (const draw of [drawTree, drawDot, drawMermaid]) {
    const drawn = draw(graph, { nameOf, stateOf: () => ({ name: 'fresh', detail: '' }) })
    assert.not.match(drawn, 'exec:')
    assert.match(drawn, /\bb\b/)
  }
})

test('a graph for programs', () => {
  golden('graph/release.json', text(release()))
  golden('graph/states.json', text(release(), states))
})

test('marks in an id stay marks', () => {
  const graph = graphOf(task('exec:a"b\\c'), task('exec:<i>#1&`'))
  golden('graph/marks-dot.txt', drawDot(graph))
  golden('graph/marks-mermaid.txt', drawMermaid(graph))
})

test('a tree writes every task once and says where it was', () => {
  const ids = release().order
  const lines = drawTree(release()).split('\n')
  for (const id of ids) {
    const own = lines.filter((line) => line.endsWith(` ${id}`) || line === id)
    assert.is(own.length, 1, id)
  }
})

test('what is met again comes last, needed before waited for', () => {
  const graph = graphOf(
    task('exec:root', { needs: ['exec:a', 'exec:b', 'exec:z'], after: ['exec:c', 'exec:zz'] }),
    task('exec:a', { needs: ['exec:b', 'exec:c'] }),
    task('exec:b'),
    task('exec:c'),
    task('exec:z'),
    task('exec:zz'),
  )
  assert.is(
    drawTree(graph),
    [
      'exec:root',
      '├─ exec:a',
      '│  ├─ exec:b',
      '│  └─ exec:c',
      '├─ exec:z',
      '├┄ exec:zz',
      '├─ exec:b (above)',
      '└┄ exec:c (above)',
      '',
    ].join('\n'),
  )
})

test('nothing is drawn as nothing', () => {
  assert.is(drawTree(graphOf()), '')
  assert.is(drawMermaid(graphOf()), 'flowchart LR\n')
  assert.equal(graphJson(graphOf(), { phaseOf }), { schema_version: 1, tasks: [] })
})

test('a long chain is drawn without recursion, and goes on at the left where it would be deeper than anybody can see', () => {
  const count = 3000
  const chain = Array.from({ length: count }, (_, index) => task(`exec:${index}`, { needs: index > 0 ? [`exec:${index - 1}`] : [] }))
  const lines = drawTree(graphOf(...chain))
    .trimEnd()
    .split('\n')
  assert.is(lines.filter((line) => !line.endsWith('(below)')).length, count)
  const at = lines.findIndex((line) => line.endsWith('(below)'))
  assert.is(lines[at]?.trim(), `└─ ${lines[at + 1]} (below)`)
  assert.ok(lines.every((line) => line.length < 140))
})

test('20,000 tasks are drawn in every form, each once', () => {
  const width = 100
  const tasks = Array.from({ length: 20_000 }, (_, index) => {
    const above = (Math.floor(index / width) - 1) * width
    return task(`exec:${index}`, { needs: above < 0 ? [] : [0, 7, 31].map((step) => `exec:${above + ((index + step) % width)}`) })
  })
  const graph = graphOf(...tasks)
  const tree = drawTree(graph)
  const own = tree.split('\n').filter((line) => line !== '' && !/\((above|below)\)$/.test(line))
  assert.is(own.length, tasks.length)
  assert.ok(tree.length < 8_000_000, `${tree.length} characters`)
  assert.is(drawDot(graph).match(/ -> /g)?.length, 3 * (tasks.length - width))
  assert.is(drawMermaid(graph).match(/ --> /g)?.length, 3 * (tasks.length - width))
  assert.is((graphJson(graph, { phaseOf })['tasks'] as unknown[]).length, tasks.length)
})

test.run()
