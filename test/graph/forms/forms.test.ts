import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { drawDot } from '../../../graph/forms/dot.ts'
import { graphJson } from '../../../graph/forms/json.ts'
import { drawMermaid } from '../../../graph/forms/mermaid.ts'
import { drawTree } from '../../../graph/forms/tree.ts'
import type { Phase, Task, TaskGraph, TaskId } from '../../../graph/types.ts'
import { golden } from '../../support/golden.ts'
import { graphOf, release, task } from '../tasks.ts'

const test = suite('graph/forms')

const phaseOf = ({ kind }: Task): Phase => (kind === 'render' || kind === 'upload' ? 'push' : (kind as Phase))
const text = (graph: TaskGraph, annotate?: (id: TaskId) => string | undefined) =>
  `${JSON.stringify(graphJson(graph, { phaseOf, ...(annotate ? { annotate } : {}) }), null, 2)}\n`
const states = (id: TaskId) => (id.startsWith('build:') ? 'fresh' : id === 'upload:node-1' ? 'runs: bundle\nchanged' : undefined)

for (const [name, draw] of [
  ['tree.txt', drawTree],
  ['dot.txt', drawDot],
  ['mermaid.txt', drawMermaid],
] as const) {
  test(`draws a release as ${name}`, () => golden(`graph/release-${name}`, draw(release())))
  test(`draws annotations in ${name}`, () => golden(`graph/annotated-${name}`, draw(release(), { annotate: states })))
  test(`${name} of the same tasks is the same, however they are listed`, () => {
    const { order } = release()
    const graph = graphOf(...order.map((id) => release().task(id)))
    assert.is(draw(graph), draw(release()))
  })
}

test('a graph for programs', () => {
  golden('graph/release.json', text(release()))
  golden('graph/annotated.json', text(release(), states))
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

test('a long chain is drawn without recursion', () => {
  const count = 3000
  const chain = Array.from({ length: count }, (_, index) => task(`exec:${index}`, { needs: index > 0 ? [`exec:${index - 1}`] : [] }))
  assert.is(drawTree(graphOf(...chain)).split('\n').length, count + 1)
})

test.run()
