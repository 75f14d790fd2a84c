/** Places people give a cache, good and bad, by the program as they run it. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Checkout, checkout, type Ended } from '../support/checkouts.ts'
import { inDirectory } from '../support/directory.ts'

const test = suite('e2e/cache-folder')

const files = {
  'stagecraft.yml': `project: {name: shop}
tasks:
  make: {command: "echo make >> ran; echo made; mkdir -p out; cp schema out/a", inputs: [schema], outputs: ["out/**"]}
  large: {command: "echo large >> ran; head -c 1000000 /dev/zero > large; cat schema >> large", inputs: [schema], outputs: [large]}
`,
  schema: 'A\n',
}

function done(ended: Ended): Ended {
  assert.is(ended.code, 0, `${ended.stdout}\n${ended.stderr}`)
  return ended
}

const warningsOf = ({ stderr }: Ended): readonly string[] => stderr.split('\n').filter((line) => line.startsWith('warning:'))

test('after a clear there is nothing to do, and from the next change on everything is as before', () =>
  inDirectory(async (parent) => {
    const shop = checkout(parent, 'shop', files)
    done(await shop.run(['run', 'make']))
    done(await shop.run(['cache', 'clear', '--yes']))
    assert.match(done(await shop.run(['run', 'make'])).stdout, 'nothing to do')
    assert.equal(shop.ran(), ['make'])
    rmSync(join(shop.directory, 'out'), { recursive: true })
    done(await shop.run(['run', 'make']))
    assert.equal(shop.ran(), ['make'], 'what was cleared cannot be put back')
    for (const [text, ran] of [
      ['B\n', ['make']],
      ['A\n', []],
      ['B\n', []],
    ] as const) {
      shop.write('schema', text)
      done(await shop.run(['run', 'make']))
      assert.equal(shop.ran(), ran)
    }
  }))

test('a relative folder with spaces that is not there yet is made, and checkouts share it', () =>
  inDirectory(async (parent) => {
    const env = { STAGECRAFT_CACHE_DIR: '../one cache/for all' }
    const [one, other] = [checkout(parent, 'one', files), checkout(parent, 'other', files)]
    done(await one.run(['run', 'make', 'large'], env))
    done(await other.run(['run', 'make', 'large'], env))
    assert.equal(other.ran(), [])
    assert.equal(other.tree('out'), one.tree('out'))
    assert.match(done(await one.run(['cache', 'status'], env)).stdout, `folder     ${join(parent, 'one cache/for all')}\n`)
  }))

/** The run is as good, says once that nothing was kept, and the next one too. */
async function costsWarnings(shop: Checkout, folder: string, most: number): Promise<void> {
  for (const text of ['C\n', 'D\n']) {
    shop.write('schema', text)
    const ended = done(await shop.run(['run', 'make', 'large'], { STAGECRAFT_CACHE_DIR: folder }))
    assert.equal(shop.ran(), ['large', 'make'])
    assert.ok(warningsOf(ended).length >= 1 && warningsOf(ended).length <= most, ended.stderr)
    assert.match(ended.stderr, `the cache in ${folder} cannot be`)
  }
}

test('a file where the folder should be costs warnings, not the run; looking after it says so', () =>
  inDirectory(async (parent) => {
    const shop = checkout(parent, 'shop', files)
    writeFileSync(join(parent, 'file'), '')
    await costsWarnings(shop, join(parent, 'file'), 2)
    for (const words of [['status'], ['verify'], ['prune'], ['clear', '--yes']]) {
      const { code, stderr } = await shop.run(['cache', ...words], { STAGECRAFT_CACHE_DIR: '../file/cache' })
      assert.is(code, 1)
      assert.match(stderr, 'SC5001')
    }
  }))

const mountObstacle = process.getuid?.() === 0 && canMount() ? undefined : 'only root may mount'
const onMount = mountObstacle === undefined ? test : (title: string, _work: () => Promise<void>) => test.skip(title)
if (mountObstacle !== undefined) process.stdout.write(`skipped two of e2e/cache-folder: ${mountObstacle}\n`)

onMount('a disk that is full, and one that may only be read, cost a warning; what was there is still used', () =>
  inDirectory(async (parent) => {
    const shop = checkout(parent, 'shop', files)
    const folder = join(parent, 'disk')
    mkdirSync(folder)
    mount('-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', folder)
    try {
      done(await shop.run(['run', 'make'], { STAGECRAFT_CACHE_DIR: folder }))
      assert.equal(shop.ran(), ['make'])
      shop.write('schema', 'B\n')
      const full = done(await shop.run(['run', 'large'], { STAGECRAFT_CACHE_DIR: folder }))
      assert.equal(shop.ran(), ['large'])
      assert.match(warningsOf(full).join(), /^warning: the cache in .* cannot be written, .*ENOSPC: [^:]*$/)

      mount('-o', 'remount,ro', folder)
      await costsWarnings(shop, folder, 1)
      const other = checkout(parent, 'other', files)
      assert.equal(warningsOf(done(await other.run(['run', 'make'], { STAGECRAFT_CACHE_DIR: folder }))), [])
      assert.equal(other.ran(), [])
      assert.ok(existsSync(join(other.directory, 'out/a')))
      const cleared = await other.run(['cache', 'clear', '--yes'], { STAGECRAFT_CACHE_DIR: folder })
      assert.is(cleared.code, 2)
      assert.match(cleared.stderr, /EROFS[\s\S]*STAGECRAFT_CACHE_DIR/)
    } finally {
      execFileSync('umount', [folder])
    }
  }),
)

function mount(...words: string[]): void {
  execFileSync('mount', words, { stdio: 'pipe' })
}

/** Root in a container may not. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.run()
