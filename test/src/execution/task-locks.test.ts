import { linkSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { taskLocks } from '../../../src/execution/task-locks.ts'
import { createRunRecord, type RunRecord, readRun } from '../../../src/programs/run-record.ts'
import { rejects, within } from '../../support/assertions.ts'
import { inDirectory } from '../../support/directory.ts'
import { id } from '../../support/fake-run.ts'

const test = suite('src/execution/task-locks')

const never = new AbortController().signal
const withRecords = (count: number, work: (records: RunRecord[], directory: string) => Promise<void>) =>
  inDirectory(async (directory) => {
    const records = Array.from({ length: count }, () => createRunRecord(directory))
    try {
      await within(10_000, work(records, directory))
    } finally {
      for (const record of records) record.close()
    }
  })
const lockOf = (directory: string, name: string) => join(directory, 'locks', encodeURIComponent(name))
const ghost = (owner: object) =>
  `${JSON.stringify({ owner: { host: hostname(), pid: process.pid, start: '1', ...owner }, cookie: 'a'.repeat(24) })}\n`

test('a lock says whose it is, and is gone when given back', () =>
  withRecords(1, async ([record], directory) => {
    if (!record) return
    const held = await taskLocks(record).hold(id('exec:a/b'), never, () => {})
    assert.not(held.waited)
    assert.is(readRun(lockOf(directory, 'exec:a/b'))?.cookie, record.cookie)
    held.release()
    assert.equal(readdirSync(join(directory, 'locks')), [])
  }))

test('ten runs that want one task get it one after another', () =>
  withRecords(10, async (records) => {
    let inside = 0
    let most = 0
    await Promise.all(
      records.map(async (record) => {
        const held = await taskLocks(record).hold(id('exec:a'), never, () => {})
        inside += 1
        most = Math.max(most, inside)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
        held.release()
      }),
    )
    assert.is(most, 1)
  }))

const dead: readonly [string, string, (path: string) => void][] = [
  ['of a run that was killed', ghost({}), () => {}],
  ['of another machine that has been silent', ghost({ host: 'elsewhere' }), (path) => utimesSync(path, 1, 1)],
  ['that says nothing and is old', '', (path) => utimesSync(path, 1, 1)],
]
for (const [name, text, age] of dead) {
  test(`a lock ${name} is taken over`, () =>
    withRecords(1, async ([record], directory) => {
      if (!record) return
      const path = lockOf(directory, 'exec:a')
      mkdirSync(join(directory, 'locks'), { recursive: true })
      writeFileSync(path, text)
      age(path)
      const held = await taskLocks(record).hold(id('exec:a'), never, () => {})
      assert.not(held.waited)
      assert.is(readRun(path)?.cookie, record.cookie)
      assert.equal(readdirSync(join(directory, 'locks')).length, 1)
    }))
}

test('one of another machine that shows signs of life is waited for, until we are told to stop', () =>
  withRecords(1, async ([record], directory) => {
    if (!record) return
    mkdirSync(join(directory, 'locks'), { recursive: true })
    const file = join(directory, 'theirs')
    writeFileSync(file, ghost({ host: 'elsewhere', pid: 7 }))
    linkSync(file, lockOf(directory, 'exec:a'))
    const stop = new AbortController()
    const told: string[] = []
    const onWait = (holder: string) => {
      told.push(holder)
      stop.abort()
    }
    await rejects(taskLocks(record).hold(id('exec:a'), stop.signal, onWait), /interrupted/)
    assert.equal(told, ['another run (pid 7 on elsewhere)'])
    assert.is(readFileSync(file, 'utf8'), ghost({ host: 'elsewhere', pid: 7 }))
  }))

test.run()
