import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { verify } from '../../cache/verify.ts'
import { within } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { filesIn, keyOf, openWatched } from './stored.ts'

const test = suite('cache/concurrent')
const writer = fileURLToPath(new URL('writer.js', import.meta.url))

test('two processes write, read and collect in one cache without spoiling each other’s entries', () =>
  inDirectory(async (directory) => {
    const runs = ['first', 'second'].map((seed) => promisify(execFile)(process.execPath, [writer, directory, seed]))
    const outputs = await within(60_000, Promise.all(runs))
    assert.equal(
      outputs.map(({ stdout, stderr }) => [stdout, stderr.replace(/^.*NODE_EXTRA_CA_CERTS.*\n/gm, '')]),
      [
        ['0', ''],
        ['0', ''],
      ],
    )
    const { cache, warnings } = openWatched(directory)
    const names = ['first', 'second'].flatMap((seed) => Array.from({ length: 60 }, (_, index) => `${seed}-${index}`))
    for (const name of [...names, 'task-0', 'task-19']) assert.ok(await cache.actions.get(keyOf(name)), name)
    assert.equal(warnings, [])
    assert.equal((await verify(directory)).damaged, [])
  }))

test('processes killed at any moment leave a cache in which everything that is a hit is whole', () =>
  inDirectory(async (directory) => {
    const { cache, warnings } = openWatched(directory)
    for (let round = 0; round < 12; round++) {
      const children = ['a', 'b', 'c'].map((seed) =>
        spawn(process.execPath, [writer, directory, `${seed}${round}`, 'large'], { stdio: 'ignore' }),
      )
      const ended = children.map((child) => once(child, 'exit'))
      // However far they have come: the first entry there is, then some more of them each round.
      while (round > 0 && entries(directory) < round * 5 && children.some(({ exitCode }) => exitCode === null)) await setImmediate()
      for (const child of children) child.kill('SIGKILL')
      await within(60_000, Promise.all(ended))
    }
    assert.ok(entries(directory) > 10)
    assert.equal((await verify(directory)).damaged, [])
    for (const name of Array.from({ length: 20 }, (_, index) => `task-${index}`)) {
      const result = await cache.actions.get(keyOf(name))
      if (result) for (const { digest } of Object.values(result.files)) assert.ok(await cache.content.read(digest), name)
    }
    assert.equal(warnings, [])
  }))

function entries(directory: string): number {
  return existsSync(`${directory}/results`) ? filesIn(directory, 'results').length : 0
}

test.run()
