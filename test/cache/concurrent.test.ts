import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import cacache from 'cacache'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { inDirectory } from '../support/directory.ts'
import { keyOf, openWatched } from './stored.ts'

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
    const stats = await cacache.verify(directory)
    assert.equal([stats.badContentCount, stats.missingContent], [0, 0])
  }))

test.run()
