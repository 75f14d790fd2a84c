import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Diagnostic, Task, TaskId } from '../../graph/types.ts'
import { graphOf, lineOf, release, task } from './tasks.ts'

const test = suite('graph/task-graph')
const id = (text: string) => text as TaskId

function problems(...tasks: readonly Task[]): readonly Diagnostic[] {
  const checked = taskGraph(tasks)
  return checked.ok ? [] : checked.diagnostics
}

test('dependencies come first, and ids break ties', () => {
  //   build:b ┐
  //   build:a ┴ push:a     build:c
  const graph = graphOf(task('push:a', { needs: ['build:b'], after: ['build:a'] }), task('build:c'), task('build:b'), task('build:a'))
  assert.equal(graph.order, ['build:a', 'build:b', 'build:c', 'push:a'])
})

test('a task that becomes ready late still goes before larger ids', () => {
  const graph = graphOf(task('exec:z'), task('exec:a', { needs: ['exec:m'] }), task('exec:m'), task('exec:n'))
  assert.equal(graph.order, ['exec:m', 'exec:a', 'exec:n', 'exec:z'])
})

test('any acyclic tasks are ordered topologically, however they are listed', () => {
  // Scrambled names, so that the order by id is not the order of the rows; edges only go to earlier rows.
  const name = (row: number) => `exec:${(row * 7919) % 31}`
  const anyTasks = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { maxLength: 30 }).map((rows) =>
    rows.map((edges, row) => {
      const earlier = edges.filter((edge) => edge < row).map(name)
      return task(name(row), { needs: earlier.slice(0, 2), after: earlier.slice(2) })
    }),
  )
  fc.assert(
    fc.property(anyTasks, fc.func(fc.double({ noNaN: true })), (tasks, weight) => {
      const shuffled = [...tasks].sort((a, b) => weight(a.id) - weight(b.id))
      const { order } = graphOf(...shuffled)
      const places = new Map(order.map((member, index) => [member, index]))
      assert.equal(order, graphOf(...tasks).order)
      assert.is(order.length, tasks.length)
      for (const member of tasks) {
        for (const dependency of [...member.needs, ...member.after]) {
          assert.ok((places.get(dependency) ?? Infinity) < (places.get(member.id) ?? -1))
        }
      }
    }),
  )
})

test('neighbours are sorted and named once, whether needed or only waited for', () => {
  const graph = graphOf(
    task('push:a', { needs: ['build:b', 'build:a'], after: ['build:a'] }),
    task('build:b'),
    task('build:a'),
    task('exec:x', { after: ['build:a'] }),
  )
  assert.equal(graph.dependencies(id('push:a')), ['build:a', 'build:b'])
  assert.equal(graph.dependents(id('build:a')), ['exec:x', 'push:a'])
  assert.equal(graph.dependents(id('push:a')), [])
})

test('a part of a graph holds what was asked for and all it depends on', () => {
  const part = release().only([id('upload:node-1'), id('migrate_pre:main')])
  assert.equal(part.order, ['build:api', 'build:web', 'push:api', 'migrate_pre:main', 'push:web', 'render:node-1', 'upload:node-1'])
  assert.equal(part.dependents(id('upload:node-1')), [])
  assert.throws(() => part.task(id('finalize:prod')), RangeError)
  assert.equal(part.only([]).order, [])
})

test('asking for a task that is not there is a mistake', () => {
  for (const ask of ['task', 'dependencies', 'dependents'] as const) {
    assert.throws(() => release()[ask](id('build:nothing')), /no task `build:nothing`/)
  }
  assert.throws(() => release().only([id('build:nothing')]), RangeError)
})

test('two tasks with one id are both located', () => {
  const [problem, ...rest] = problems(task('build:a', { line: 3 }), task('build:b'), task('build:a', { line: 9 }))
  assert.equal(rest, [])
  assert.equal(problem, {
    code: 'SC2001',
    severity: 'error',
    message: 'two tasks have the id `build:a`',
    location: lineOf(9),
    notes: [{ message: '`build:a` is first asked for here', location: lineOf(3) }],
  })
})

test('an unknown dependency is named with the id that was probably meant', () => {
  const found = problems(task('push:api', { needs: ['build:pai'], after: ['exec:nowhere'], line: 4 }), task('build:api'))
  assert.equal(
    found.map(({ code, message, suggestion, location }) => [code, message, suggestion, location?.line]),
    [
      ['SC2002', '`push:api` depends on `build:pai`, which does not exist', 'build:api', 4],
      ['SC2002', '`push:api` depends on `exec:nowhere`, which does not exist', undefined, 4],
    ],
  )
})

test('a cycle is named whole, with the line behind each of its edges', () => {
  //   exec:c ─▶ exec:b ─▶ exec:a ─▶ exec:c      exec:d waits for the circle but is not part of it
  const found = problems(
    task('exec:d', { needs: ['exec:b'], line: 1 }),
    task('exec:c', { needs: ['exec:b'], line: 2 }),
    task('exec:b', { after: ['exec:a'], line: 3 }),
    task('exec:a', { needs: ['exec:c'], line: 4 }),
  )
  assert.equal(found, [
    {
      code: 'SC2003',
      severity: 'error',
      message: 'tasks wait for each other: exec:a → exec:c → exec:b → exec:a',
      location: lineOf(4),
      notes: [
        { message: '`exec:a` needs `exec:c`', location: lineOf(4) },
        { message: '`exec:c` needs `exec:b`', location: lineOf(2) },
        { message: '`exec:b` comes after `exec:a`', location: lineOf(3) },
      ],
    },
  ])
})

test('cycles that share a way in are all reported', () => {
  //   exec:a ⇄ exec:x ⇄ exec:z, and exec:m waits for all of them
  const found = problems(
    task('exec:m', { needs: ['exec:a', 'exec:z'] }),
    task('exec:a', { needs: ['exec:x'] }),
    task('exec:z', { needs: ['exec:x'] }),
    task('exec:x', { needs: ['exec:a', 'exec:z'] }),
    task('exec:q', { needs: ['exec:p', 'exec:m'] }),
    task('exec:p', { needs: ['exec:q'] }),
  )
  assert.equal(
    found.map(({ message }) => message.replace('tasks wait for each other: ', '')),
    ['exec:a → exec:x → exec:a', 'exec:p → exec:q → exec:p'],
  )
})

test('separate cycles are all reported, and a task may not wait for itself', () => {
  const found = problems(
    task('exec:a', { after: ['exec:a'] }),
    task('exec:c', { needs: ['exec:b'] }),
    task('exec:b', { needs: ['exec:c', 'exec:a'] }),
  )
  assert.equal(
    found.map(({ message }) => message.replace('tasks wait for each other: ', '')),
    ['exec:a → exec:a', 'exec:b → exec:c → exec:b'],
  )
})

const ids: readonly (readonly [string, boolean])[] = [
  ['build:api', true],
  ['migrate_pre:main', true],
  ['rollout:web@node-1', true],
  ['edge:web@2001:db8::7', true],
  ['exec:a/b.c', true],
  ['constructor', false],
  ['__proto__', false],
  ['build:', false],
  [':api', false],
  ['Build:api', false],
  ['build:a b', false],
  ['build:a:b', false],
  ['build:a@', false],
  ['build:a\u0000', false],
]
for (const [text, accepted] of ids) {
  test(`${JSON.stringify(text)} is ${accepted ? 'an id' : 'refused as an id'}`, () => {
    assert.equal(
      problems(task(text)).map(({ code }) => code),
      accepted ? [] : ['SC2004'],
    )
  })
}

test('a chain of 20,000 tasks and a layered graph of 10,000 are ordered without recursion', () => {
  const name = (index: number) => `build:t${String(index).padStart(5, '0')}`
  const chain = Array.from({ length: 20_000 }, (_, index) => task(name(index), { needs: index > 0 ? [name(index - 1)] : [] }))
  const layered = Array.from({ length: 10_000 }, (_, index) => {
    const below = index - (index % 100) - 100
    return task(name(index), { needs: below < 0 ? [] : [0, 1, 2].map((step) => name(below + ((index * 7 + step * 13) % 100))) })
  })
  for (const tasks of [chain, layered]) {
    const graph = graphOf(...tasks.toReversed())
    assert.is(graph.order[0], name(0))
    assert.is(graph.only([id(name(tasks.length - 1))]).order.at(-1), name(tasks.length - 1))
  }
  assert.ok(problems(...chain.slice(1), task(name(0), { needs: [name(19_999)] }))[0]?.message.endsWith(`${name(1)} → ${name(0)}`))
})

test.run()
