import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Digest, Fingerprint, TaskId } from '../../../graph/types.ts'
import { handOver, takeOver } from '../../../src/state/hand-over.ts'
import { parseTaskLines, taskLine } from '../../../src/state/task-lines.ts'
import { inDirectory } from '../../support/directory.ts'
import { Checkout, fates, type Recipe } from './checkout.ts'

const test = suite('state/vouching')

const recipe = (name: string, parts: Partial<Recipe> = {}): Recipe => ({
  name,
  inputs: [`src/${name}`],
  outputs: [`out/${name}`],
  writes: `out/${name}`,
  needs: [],
  env: [],
  word: 'v1',
  ...parts,
})

async function built(folder: string, recipes: readonly Recipe[]): Promise<Checkout> {
  const checkout = new Checkout(folder, recipes)
  for (const { name } of recipes) checkout.write(`src/${name}`, name)
  await checkout.run()
  return checkout
}

const vouched = (checkout: Checkout) => [...checkout.vouched].map((id) => id.replace('exec:', '')).sort()

test('only what was edited, and what depends on a result that changed, is described', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [
      recipe('a'),
      recipe('b', { inputs: ['src/b', 'out/a'], needs: ['a'] }),
      recipe('c'),
      recipe('d', { inputs: ['src/d', 'out/c'], needs: ['c'] }),
    ])
    checkout.write('src/a', 'edited')
    assert.equal(fates(await checkout.run({ look: checkout.look() })), {
      'exec:a': 'ran',
      'exec:b': 'ran',
      'exec:c': 'up to date',
      'exec:d': 'up to date',
    })
    assert.equal(vouched(checkout), ['c', 'd'])
    // What was copied into the next certificate counts as what was seen anew.
    assert.is(checkout.certified(), 4)
    await checkout.run()
    assert.equal(vouched(checkout), ['a', 'b', 'c', 'd'])
  }))

test('a dependent of what ran anew and made the same is vouched for, having been looked at again', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a'), recipe('b', { needs: ['a'] })])
    // Same content, so the same result; `b` does not read the file.
    const outcomes = await checkout.run({ look: checkout.look(), force: ['a'] })
    assert.equal(fates(outcomes), { 'exec:a': 'ran', 'exec:b': 'up to date' })
    assert.equal(vouched(checkout), ['b'])
  }))

test('what a formatter rewrites is noticed by the tasks after it, whatever was seen before', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [
      recipe('fmt', { inputs: ['src/reader'], outputs: ['src/reader'], writes: 'src/reader', formats: 'src/reader' }),
      recipe('reader', { after: ['fmt'] }),
    ])
    await checkout.run()
    assert.equal(fates(await checkout.run()), { 'exec:fmt': 'up to date', 'exec:reader': 'up to date' })
    const look = checkout.look()
    assert.is(look?.changed.size, 0)
    // The launcher has looked; what it saw of `reader` no longer counts, for `fmt` is made to run.
    checkout.whileRunning = (name) => {
      if (name === 'fmt') writeFileSync(join(folder, 'src/reader'), 'written while fmt runs')
    }
    assert.equal(fates(await checkout.run({ look, force: ['fmt'] })), { 'exec:fmt': 'ran', 'exec:reader': 'ran' })
  }))

test('an edit after the look is noticed by the next run', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a'), recipe('b')])
    const look = checkout.look()
    checkout.write('src/a', 'edited')
    assert.equal(fates(await checkout.run({ look })), { 'exec:a': 'up to date', 'exec:b': 'up to date' })
    assert.is(checkout.certified(), undefined)
    assert.equal(fates(await checkout.run({ look: checkout.look() })), { 'exec:a': 'ran', 'exec:b': 'up to date' })
  }))

test('beside a task that always runs, all others are vouched for, and nothing is called up to date', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a'), recipe('always', { cache: false }), recipe('b', { needs: ['always'] })])
    assert.is(checkout.certified(), undefined)
    assert.equal(fates(await checkout.run({ look: checkout.look() })), {
      'exec:a': 'up to date',
      'exec:always': 'ran',
      'exec:b': 'up to date',
    })
    assert.equal(vouched(checkout), ['a', 'b'])
  }))

test('another definition, or a forced task, is judged', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a'), recipe('b')])
    await checkout.run({ force: ['a'] })
    assert.equal(vouched(checkout), ['b'])
    checkout.setRecipes([recipe('a'), recipe('b', { word: 'v2' })])
    assert.equal(fates(await checkout.run({ look: checkout.look() })), { 'exec:a': 'up to date', 'exec:b': 'ran' })
    assert.equal(vouched(checkout), [])
  }))

test('a certificate from before the state was lost vouches for nothing', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a')])
    writeFileSync(join(folder, '.stagecraft/run/state'), 'damaged')
    assert.equal(fates(await checkout.run({ look: checkout.look() })), { 'exec:a': 'up to date' })
    assert.equal(vouched(checkout), [])
  }))

test('after a failure the tasks that ended well before it are still vouched for by the last certificate', () =>
  inDirectory(async (folder) => {
    const checkout = await built(folder, [recipe('a'), recipe('b')])
    checkout.write('src/b', 'edited')
    checkout.broken = new Set(['b'])
    assert.match(fates(await checkout.run())['exec:b'] ?? '', 'failed')
    checkout.broken = new Set()
    assert.equal(fates(await checkout.run()), { 'exec:a': 'up to date', 'exec:b': 'ran' })
    assert.equal(vouched(checkout), ['a'])
  }))

test('what the launcher saw is told once', () =>
  inDirectory(async (folder) => {
    const look = (await built(folder, [recipe('a')])).look()
    assert.ok(look)
    handOver(look)
    assert.is(takeOver(), look)
    assert.is(takeOver(), undefined)
  }))

test('lines of tasks are read as they were written', () => {
  const [one, two] = ['exec:one', 'exec:two'] as TaskId[]
  const tasks = new Map([
    [one, { fingerprint: 'f'.repeat(64) as Fingerprint, resultDigest: 'd' as Digest, rows: [0, 3, 4, 5, 9, 11, 12] }],
    [two, { fingerprint: undefined, resultDigest: 'e' as Digest, rows: [] }],
  ] as const)
  const text = [...tasks].map(([id, task]) => taskLine(id as TaskId, task)).join('\n')
  assert.match(text, '\t0 3-5 9 11-12')
  assert.equal([...parseTaskLines(text)], [...tasks])
  assert.equal([...parseTaskLines('')], [])
})

test.run()
