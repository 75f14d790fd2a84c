import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseLastRun, readLastRun } from '../../../src/session/last-run.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/session/last-run')

const finishedAt = '2026-11-23T10:52:07.113Z'
const file = (tasks: unknown, more: object = {}) => JSON.stringify({ schema: 1, finishedAt, tasks, ...more })

test('timings are read; a task that ran takes as long as it took', () => {
  const run = parseLastRun(
    file({ 'exec:a': { status: 'ran', startMs: 1, durationMs: 20, because: 'x changed', later: true } }, { later: 1 }),
  )
  assert.is(run?.finishedAt, finishedAt)
  assert.equal(
    [...(run?.tasks ?? [])],
    [['exec:a', { status: 'ran', startMs: 1, durationMs: 20, ranMs: 20, because: 'x changed', finishedAt }]],
  )
})

test('an entry of an earlier run keeps its time, a skipped one what it takes when it runs', () => {
  const before = '2026-11-20T00:00:00.000Z'
  const run = parseLastRun(file({ a: { status: 'skipped', startMs: 0, durationMs: 1, ranMs: 300, finishedAt: before } }))
  assert.equal(run?.tasks.get('a' as never), { status: 'skipped', startMs: 0, durationMs: 1, ranMs: 300, finishedAt: before })
})

for (const [what, entry] of [
  ['no map', []],
  ['null', null],
  ['an unknown status', { status: 'done', startMs: 0, durationMs: 0 }],
  ['a duration below nothing', { status: 'ran', startMs: 0, durationMs: -1 }],
  ['a text for a number', { status: 'ran', startMs: '0', durationMs: 1 }],
] as const) {
  test(`an entry that is ${what} is left out, and the others are read`, () => {
    const run = parseLastRun(file({ bad: entry, good: { status: 'failed', startMs: 0, durationMs: 5 } }))
    assert.equal([...(run?.tasks.keys() ?? [])], ['good'])
  })
}

for (const [what, text] of [
  ['nothing', ''],
  ['half a file', '{"schema":1,"fin'],
  ['another schema', file({}, { schema: 2 })],
  ['no time', file({}, { finishedAt: 'yesterday' })],
  ['no tasks', file(undefined)],
  ['a list', '[]'],
] as const) {
  test(`${what} is no run`, () => assert.is(parseLastRun(text), undefined))
}

test('it lies in .stagecraft; without it there was no run', () =>
  inTemporaryDirectory(async (directory) => {
    assert.is(readLastRun(directory), undefined)
    mkdirSync(join(directory, '.stagecraft/run'), { recursive: true })
    writeFileSync(join(directory, '.stagecraft/run/last.json'), file({}))
    assert.is(readLastRun(directory)?.finishedAt, finishedAt)
  }))

test.run()
