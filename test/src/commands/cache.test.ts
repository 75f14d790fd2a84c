import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resultPath } from '../../../cache/layout.ts'
import { openLocalCache } from '../../../cache/local.ts'
import { digestOf } from '../../../graph/fingerprint.ts'
import { filesIn, keyOf, store } from '../../cache/stored.ts'
import { stagecraft } from '../../support/cli.ts'
import { inDirectory } from '../../support/directory.ts'

const test = suite('commands/cache')

/** A project whose manifest is broken, with two results that were last used some days ago. */
function inCached(work: (directory: string, cache: string) => Promise<void>): Promise<void> {
  return inDirectory(async (directory) => {
    writeFileSync(join(directory, 'stagecraft.yml'), 'project: [')
    const cache = join(directory, '.stagecraft', 'cache')
    const opened = openLocalCache(cache)
    for (const [index, name] of ['old', 'new'].entries()) {
      await store(opened, name, name.repeat(1000))
      for (const path of filesIn(cache, 'blobs')) utimesSync(path, 1000, 1000)
      utimesSync(resultPath(cache, keyOf(name)), (index + 1) * 86_400, (index + 1) * 86_400)
    }
    await work(directory, cache)
  })
}

const now = () => new Date(3 * 86_400_000)

test('status says where the cache is, what is in it and what bounds it', () =>
  inCached(async (directory, cache) => {
    const { code, stdout } = await stagecraft(['cache', 'status'], { cwd: directory, now })
    assert.is(code, 0)
    assert.match(stdout, `folder     ${cache}\n`)
    assert.match(stdout, /holds {6}2 results and 2 blobs, \d\.\d KB/)
    assert.match(stdout, 'used       2 days ago to 1 day ago')
    assert.match(stdout, /limits {5}.* GB.*, unused for 30 days/)
    assert.match(stdout, 'collected  never')
  }))

test('limits and the shared cache are those of the manifest, and nothing secret is shown', () =>
  inCached(async (directory) => {
    assert.match(
      (await stagecraft(['cache', 'status'], { cwd: directory, now })).stdout,
      /note {7}the defaults hold, as `stagecraft.yml` cannot be used: SC1/,
    )
    assert.match((await stagecraft(['cache', 'prune'], { cwd: directory, now })).stderr, 'warning: the default limits hold, as')
    const manifest = 'project: {name: shop}\ntasks: {a: {command: x}}\ncache: {max_size: 1MB, max_age: 36h, remote: "https://c"}\n'
    writeFileSync(join(directory, 'stagecraft.yml'), manifest)
    const env = { CI: '1', STAGECRAFT_REMOTE_CACHE: 'https://ci:hunter22@c/shop', STAGECRAFT_REMOTE_CACHE_KEY: 'hunter22'.repeat(4) }
    for (const format of ['text', 'json']) {
      const { stdout } = await stagecraft(['cache', 'status', '--format', format], { cwd: directory, now, env })
      assert.match(stdout, format === 'text' ? 'shared     https://c/shop (reads and writes, signed)' : '"isSigned": true')
      assert.match(stdout, format === 'text' ? 'limits     1 MB, unused for 36 hours' : '"maxSizeBytes": 1000000')
      assert.not.match(stdout, 'hunter22')
    }
    const { stdout, stderr } = await stagecraft(['cache', 'prune'], { cwd: directory, now })
    assert.match(stdout, /^removed 1 result, .*; kept 1 result/)
    assert.is(stderr, '')
  }))

test('status as JSON, in the folder that STAGECRAFT_CACHE_DIR names', () =>
  inDirectory(async (directory) => {
    const { stdout } = await stagecraft(['cache', 'status', '--format', 'json'], {
      cwd: directory,
      env: { STAGECRAFT_CACHE_DIR: 'shared' },
    })
    const report = JSON.parse(stdout) as Record<string, unknown>
    assert.equal([report['directory'], report['results'], report['bytes']], [join(directory, 'shared'), 0, 0])
    assert.not(existsSync(join(directory, 'shared')))
  }))

test('verify is content with what is whole, and removes and reports what is not', () =>
  inCached(async (directory, cache) => {
    const whole = await stagecraft(['cache', 'verify'], { cwd: directory })
    assert.is(whole.code, 0)
    assert.match(whole.stdout, /^read 2 results and 2 blobs, .*: all whole\n$/)
    truncateSync(filesIn(cache, 'blobs')[0] ?? '', 3)
    const dry = await stagecraft(['cache', 'verify', '--dry-run'], { cwd: directory })
    assert.is(dry.code, 2)
    const damaged = await stagecraft(['cache', 'verify'], { cwd: directory })
    assert.is(damaged.code, 2)
    assert.match(damaged.stdout, /blob .* was removed: it is not what its name says\nresult .* was removed: it lost its blob/)
    assert.match(damaged.stdout, '2 entries were damaged')
    const again = await stagecraft(['cache', 'verify', '--format', 'json'], { cwd: directory })
    assert.is(again.code, 0)
    assert.is((JSON.parse(again.stdout) as { results: number }).results, 1)
  }))

test('prune removes what is too old or too much, and says what it would remove', () =>
  inCached(async (directory, cache) => {
    const dry = await stagecraft(['cache', 'prune', '--max-age', '36h', '--dry-run'], { cwd: directory, now })
    assert.match(dry.stdout, /^would remove 1 result, .*; kept 1 result/)
    assert.is(filesIn(cache, 'results').length, 2)
    const aged = await stagecraft(['cache', 'prune', '--max-age', '36h'], { cwd: directory, now })
    assert.match(aged.stdout, /^removed 1 result, .*; kept 1 result/)
    const sized = await stagecraft(['cache', 'prune', '--max-size', '0B', '--format', 'json'], { cwd: directory, now })
    assert.is((JSON.parse(sized.stdout) as { keptBytes: number }).keptBytes, 0)
    assert.equal([filesIn(cache, 'results'), filesIn(cache, 'blobs')], [[], []])
    assert.match((await stagecraft(['cache', 'prune'], { cwd: directory, now })).stdout, 'nothing to remove: 0 results, 0 bytes')
  }))

test('prune refuses what is no size and no duration', () =>
  inDirectory(async (directory) => {
    for (const [flag, value] of [
      ['--max-size', 'lots'],
      ['--max-age', '7'],
    ] as const) {
      const { code, stderr } = await stagecraft(['cache', 'prune', flag, value], { cwd: directory })
      assert.is(code, 1)
      assert.match(stderr, `\`${flag}\` takes a `)
    }
  }))

test('clear asks first, and where nobody can be asked wants --yes', () =>
  inCached(async (directory, cache) => {
    const refused = await stagecraft(['cache', 'clear'], { cwd: directory })
    assert.is(refused.code, 1)
    assert.match(refused.stderr, /SC5002.*add `--yes`/)
    assert.match((await stagecraft(['cache', 'clear', '--dry-run'], { cwd: directory })).stdout, 'would remove 2 results and 2 blobs')
    assert.is(filesIn(cache, 'results').length, 2)
    writeFileSync(join(cache, 'mine.txt'), 'not ours')
    mkdirSync(join(cache, 'last'), { recursive: true })
    const { code, stdout } = await stagecraft(['cache', 'clear', '--yes'], { cwd: directory })
    assert.is(code, 0)
    assert.match(stdout, 'removed 2 results and 2 blobs')
    const left = readdirSync(cache)
    assert.ok(left.includes('mine.txt') && left.includes('last') && !left.includes('results') && !left.includes('blobs'))
    assert.is((await stagecraft(['cache', 'clear', '--yes'], { cwd: join(directory) })).code, 0)
  }))

test('a folder that does not exist is told', () =>
  inDirectory(async (directory) => {
    const { code, stderr } = await stagecraft(['cache', 'status', '-c', 'none/stagecraft.yml'], { cwd: directory })
    assert.is(code, 1)
    assert.match(stderr, 'SC5001')
  }))

test('settings are those of the manifest, whether they are read from it or from what a run kept of it', () =>
  inDirectory(async (directory) => {
    const manifest =
      'project: {name: shop}\ntasks: {a: {command: ["true"]}}\ncache: {max_size: 1MB, max_age: 36h, remote: "https://c/shop"}\n'
    writeFileSync(join(directory, 'stagecraft.yml'), manifest)
    const status = async () =>
      (await stagecraft(['cache', 'status'], { cwd: directory, now })).stdout.replace(/^(holds|collected) .*\n/gm, '')
    const read = await status()
    assert.match(read, /limits {5}1 MB, unused for 36 hours\n/)
    const env = { PATH: process.env['PATH'] ?? '', STAGECRAFT_REMOTE_CACHE: 'off' }
    assert.is((await stagecraft(['run', 'a'], { cwd: directory, env })).code, 0)
    assert.is(await status(), read)

    const kept = join(directory, '.stagecraft/run/compiled.json')
    const [header = '', body = ''] = readFileSync(kept, 'utf8').split('\n')
    const other = body.replace('"maxSizeBytes":1000000', '"maxSizeBytes":7000000')
    const keep = (digest: string) => writeFileSync(kept, `${JSON.stringify({ ...JSON.parse(header), body: digest })}\n${other}`)
    keep(digestOf(other))
    assert.match(await status(), /limits {5}7 MB, unused for 36 hours\n/, 'it was read anew')
    keep(digestOf(body))
    assert.is(await status(), read, 'what is damaged was believed')
    keep(digestOf(other))
    writeFileSync(join(directory, 'stagecraft.yml'), manifest.replace('1MB', '2MB'))
    assert.match(await status(), /limits {5}2 MB, unused for 36 hours\n/, 'what was kept of another manifest was believed')
  }))

test.run()
