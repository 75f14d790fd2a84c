/** Files that two tasks write, or that one reads unasked: found by a path that shows it, fast, and never where there is none. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { covers, filePatterns } from '../../../src/config/globs/file-patterns.ts'
import { type DeclaredFiles, findOverlaps } from '../../../src/config/overlaps.ts'
import { aboutConfig } from './told.ts'

const test = suite('config/overlaps')

const declared = (name: string, outputs: string[], inputs?: string[]): DeclaredFiles => ({ name, inputs, outputs })
const none = () => []
const shown = (tasks: readonly DeclaredFiles[], needs: Readonly<Record<string, readonly string[]>> = {}) =>
  findOverlaps(tasks, (name) => needs[name] ?? [])
    .map(({ how, task, writer, path }) => `${task} ${how} ${path} of ${writer}`)
    .sort()

test('two writers of one file are named with a path that shows it', () => {
  assert.equal(shown([declared('a', ['dist/**']), declared('b', ['dist/app.js'])]), ['b writes dist/app.js of a'])
  assert.equal(shown([declared('a', ['dist/a/**']), declared('b', ['dist/b/**'])]), [])
  assert.equal(shown([declared('a', ['dist/**', '!dist/b/**']), declared('b', ['dist/b/**'])]), [])
})

test('a reader waits for the writer, directly or over others', () => {
  const tasks = [declared('gen', ['src/gen/**']), declared('lib', ['lib/**'], ['src/**', '!src/gen/**']), declared('test', [], ['**/*.ts'])]
  assert.equal(shown(tasks), ['test reads lib/x.ts of lib', 'test reads src/gen/x.ts of gen'])
  assert.equal(shown(tasks, { test: ['lib'], lib: ['gen'] }), [])
  assert.equal(shown(tasks, { test: ['lib', 'deploy'], deploy: ['gen'] }), [])
  assert.equal(shown(tasks, { test: ['lib'] }), ['test reads src/gen/x.ts of gen'])
})

test('what a task rewrites of its own is its own affair; inputs that are not declared say nothing', () => {
  assert.equal(shown([declared('format', ['src/**'], ['src/**']), declared('list', ['list.txt'])]), [])
  assert.equal(shown([declared('a', ['x']), declared('b', [], undefined), declared('c', [], [])]), [])
})

test('a pair is told once, as writers before as reader', () => {
  assert.equal(shown([declared('a', ['x/**', 'x/y']), declared('b', ['x/y', 'x/z'], ['x/**'])]), ['b writes x/y of a'])
})

test('no more than fifty are told', () => {
  const tasks = Array.from({ length: 60 }, (_, at) => declared(`t${at}`, ['same']))
  assert.is(findOverlaps(tasks, none).length, 50)
  const readers = [declared('w', ['same']), ...Array.from({ length: 60 }, (_, at) => declared(`r${at}`, [], ['same']))]
  assert.is(findOverlaps(readers, none).length, 50)
})

const segment = fc.constantFrom('a', 'b', '*', '**', 'a*', '*.ts', 'x.ts')
const glob = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const list = fc.array(
  fc.tuple(fc.boolean(), glob).map(([isOut, one]) => (isOut ? `!${one}` : one)),
  { maxLength: 4 },
)

test('every overlap is a path that both lists name; without edges, pairs are those of a comparison of all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(list, list), { minLength: 2, maxLength: 5 }), (lists) => {
      const tasks = lists.map(([inputs, outputs], at) => declared(`t${at}`, outputs, inputs))
      const found = findOverlaps(tasks, none)
      const byName = new Map(tasks.map((task) => [task.name, task]))
      for (const { how, task, writer, path } of found) {
        const own = how === 'writes' ? byName.get(task)?.outputs : byName.get(task)?.inputs
        assert.ok(covers(filePatterns(own ?? []), path) && covers(filePatterns(byName.get(writer)?.outputs ?? []), path))
      }
      const pairs = new Set(found.map(({ task, writer }) => [task, writer].sort().join()))
      for (const one of tasks) {
        for (const other of tasks) {
          if (one.name >= other.name) continue
          const alone = findOverlaps([one, other], none)
          assert.is(alone.length > 0, pairs.has(`${one.name},${other.name}`), `${one.name} ${other.name}`)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('10,000 tasks with six patterns each take no more than a second or two of processor time', () => {
  const tasks = Array.from({ length: 10_000 }, (_, at) =>
    declared(`t${at}`, [`out/${at}/**`], [`in/${at}/**`, `src/${at}/*.ts`, `!src/${at}/*.test.ts`, `out/${at - 1}/**`, 'package.json']),
  )
  const before = (name: string) => (name === 't0' ? [] : [`t${Number(name.slice(1)) - 1}`])
  const began = process.cpuUsage()
  assert.equal(findOverlaps(tasks, before), [])
  // One walk finds that all wait, over 9,999 others, for the first.
  const chain = tasks.map((task, at) => (at === 0 ? task : { ...task, inputs: ['out/0/**'] }))
  assert.equal(findOverlaps(chain, before), [])
  const tookMs = process.cpuUsage(began).user / 1000
  assert.ok(tookMs < 2000, `${Math.round(tookMs)} ms for both`)
})

test('10,000 patterns in one folder are compared with those that begin alike, not with one another', () => {
  let asked = 0
  const tasks = Array.from({ length: 10_000 }, (_, at) => declared(`t${at}`, [`out/f${at}-*.js`], [`in/f${at}.*`, `out/f${at - 1}-*`]))
  const before = (name: string) => {
    asked++
    return name === 't0' ? [] : [`t${Number(name.slice(1)) - 1}`]
  }
  assert.equal(findOverlaps(tasks, before), [])
  assert.ok(asked < 3 * tasks.length, `${asked} questions`)
  const [clash] = findOverlaps([...tasks, declared('last', ['out/f77-x.js'], [])], before)
  assert.equal(clash && [clash.task, clash.writer, clash.path], ['last', 't77', 'out/f77-x.js'])
})

test('SC1108 and SC1109 name both tasks, both patterns and both lines', () => {
  const project = 'project: {name: shop}\ntasks:\n'
  assert.equal(aboutConfig(`${project}  a: {command: x, outputs: ["dist/**"]}\n  b: {command: x, cwd: dist, outputs: ["*.js"]}\n`), [
    '4:40 SC1108 tasks `a` and `b` both write `dist/x.js`: `b` has `*.js` | `a` writes `dist/**` | a file has one task that writes it: give them folders of their own, or take files out with `!`',
  ])
  assert.equal(aboutConfig(`${project}  gen: {command: x, outputs: [src/gen]}\n  test: {command: x, inputs: [a, "src/**"]}\n`), [
    '4:34 SC1109 task `test` reads `src/gen`, which `gen` writes, and does not need it: `test` has `src/**` | `gen` writes `src/gen` | add `gen` to `needs` of `test`, or take its files out of `inputs` with `!`',
  ])
  assert.equal(
    aboutConfig(
      `${project}  gen: {command: x, outputs: [src/gen]}\n  test: {command: x, needs: ["build:api"], inputs: ["src/**"]}\nservices: {api: {needs: [all]}}\npipelines: {all: [gen]}\n`,
    ),
    [],
    'over an image build',
  )
})

test.run()
