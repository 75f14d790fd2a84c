/** The list of fault points is true: each stands once in the sources, a loop reaches it, docs/reliability.md has it. */
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseFault } from '../../tasks/fault-point.ts'
import { type FaultPoint, faultPoints } from '../../tasks/fault-points.ts'
import { kills, scenes, turnOf } from '../support/fault-cases.ts'
import { textOf as caseOf } from '../support/fault-loop.ts'
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
  const loops = textOf('test/support/fault-cases.ts')
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
  const [, pointsSection = ''] = textOf('docs/reliability.md').split(/^##+ /m)
  const rows = [...pointsSection.matchAll(/^\| `([a-z-]+)` \| (.*?) +\|$/gm)].map(([, name, between]) => [name, between])
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

/** Runs a few lines with both functions at hand, in a process of its own. */
function inProcess(fault: string, lines: string) {
  const module = new URL('../../tasks/fault-point.js', import.meta.url).href
  const script = `import { cutAtFault, faultPoint } from ${JSON.stringify(module)}\n${lines}`
  const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], STAGECRAFT_FAULT: fault },
  })
  return { status, signal, stdout }
}
const met = `for (const id of ['a', 'b', 'b']) { console.log(id); faultPoint('after-task', { id }) }`

test('without a mode the process is gone at that very point, and at no other', () => {
  assert.equal(inProcess('after-task b', met), { status: null, signal: 'SIGKILL', stdout: 'a\nb\n' })
  assert.equal(inProcess('after-task', met), { status: null, signal: 'SIGKILL', stdout: 'a\n' })
  assert.equal(inProcess('before-task', met), { status: 0, signal: null, stdout: 'a\nb\nb\n' })
})

test('a signal comes once, and the process decides what to make of it', () => {
  const lines = `process.on('SIGTERM', () => console.log('told')); ${met}; setTimeout(() => {}, 200)`
  assert.equal(inProcess('after-task:SIGTERM', lines), { status: 0, signal: null, stdout: 'a\nb\nb\ntold\n' })
})

test('a cut destroys the connections that are open as a reset would', () => {
  const lines = `import { EventEmitter } from 'node:events'
const made = (name) => Object.assign(new EventEmitter(), { destroy: (error) => console.log(name, error.code) })
const [one, two] = [made('one'), made('two')]
cutAtFault(one); cutAtFault(two); two.emit('close'); faultPoint('lock-taken')`
  assert.equal(inProcess('lock-taken:cut', lines), { status: 0, signal: null, stdout: 'one ECONNRESET\n' })
})

test('a name that is none fails at the first point that is met', () => {
  assert.is(inProcess('nowhere', met).status, 1)
})

test('every case of the loops has its turn, and the same day has the same ones', () => {
  const all = [...kills, ...scenes]
  const days = Array.from({ length: Math.ceil(all.length / 6) }, (_, day) => turnOf(20_000 + day, 6, all))
  assert.is(new Set(days.flat().map(caseOf)).size, all.length)
  assert.equal(turnOf(20_000, 6, all), turnOf(20_000, 6, all))
  assert.ok(days.every((cases) => cases.length === 6))
})

test.run()
