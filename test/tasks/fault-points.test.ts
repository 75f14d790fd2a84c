/** The list of fault points is true: each stands once in the sources, a loop reaches it, docs/reliability.md has it. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseFault } from '../../tasks/fault-point.ts'
import { type FaultPoint, faultPoints } from '../../tasks/fault-points.ts'
import { sourceFiles, textOf } from '../support/source-tree.ts'

const test = suite('tasks/fault-points')
const names = Object.keys(faultPoints) as FaultPoint[]

test('every declared point stands exactly once in the sources, and no other', () => {
  const texts = sourceFiles(['graph', 'cache', 'tasks', 'src']).map(({ text }) => text)
  const called = texts.flatMap((text) => [...text.matchAll(/\bfaultPoint\('([^']*)'/g)].map(([, name]) => name))
  assert.equal(called.sort(), [...names].sort())
  // Each call names its point where it can be read: the count above is of all calls.
  const calls = texts.flatMap((text) => [...text.matchAll(/(?<!function )\bfaultPoint\(/g)])
  assert.is(calls.length, names.length)
})

test('every scene has a loop that takes its points', () => {
  const loops = ['fault-loop', 'fault-scenes'].map((name) => textOf(`test/e2e/${name}.test.ts`)).join('\n')
  const taken = [...loops.matchAll(/pointsOf\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/'([^']*)'/g)].map(([, name]) => name),
  )
  const outputs = ['test/src/outputs/outputs.test.ts', 'test/e2e/torture.test.ts'].map(textOf).join('\n')
  for (const name of names) {
    const { scene } = faultPoints[name]
    if (scene === 'outputs') assert.match(outputs, `'${name}`)
    else assert.ok(taken.includes(scene), `no loop takes the points of ${scene}`)
  }
})

test('docs/reliability.md lists every point, with what it stands between, in order', () => {
  const rows = [...textOf('docs/reliability.md').matchAll(/^\| `([a-z-]+)` \| (.*?) +\|$/gm)].map(([, name, between]) => [name, between])
  assert.equal(
    rows,
    names.map((name) => [name, faultPoints[name].between]),
  )
})

test('a fault is a point, perhaps for something, in a mode', () => {
  assert.equal(parseFault('lock-taken'), { point: 'lock-taken', mode: 'SIGKILL' })
  assert.equal(parseFault('after-task rollout:web@node-1:cut'), { point: 'after-task', about: 'rollout:web@node-1', mode: 'cut' })
  assert.equal(parseFault('outputs-in 1:SIGINT'), { point: 'outputs-in', about: '1', mode: 'SIGINT' })
  assert.throws(() => parseFault('after lunch'), /no fault point/)
})

test.run()
