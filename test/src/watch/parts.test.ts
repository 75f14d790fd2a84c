/** What a watch is made of: which folders, which changes, when a burst is over, keys. */
import { EventEmitter } from 'node:events'
import { mkdirSync, renameSync, rmSync, type watch, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gatherBursts } from '../../../src/watch/bursts.ts'
import { pollFolders } from '../../../src/watch/folder-poller.ts'
import { watchFolders } from '../../../src/watch/folder-watcher.ts'
import { keyOf, listenForKeys } from '../../../src/watch/keys.ts'
import { wantedFolders } from '../../../src/watch/wanted-folders.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { within } from '../../support/assertions.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/watch/parts')

for (const [include, deep, flat] of [
  [['src/**'], ['src'], ['.']],
  [['src/*.ts'], [], ['.', 'src']],
  [['src/*/x.ts', '!src/tmp/**'], ['src'], ['.']],
  [['a/b.txt'], ['a/b.txt'], ['.', 'a']],
  [['**/*.ts', 'src/**'], ['.'], []],
  [['src/**', 'src/deep/**'], ['src'], ['.']],
] as const) {
  test(`${include.join(' ')} is watched in [${deep.join(', ')}] with all below, and in [${flat.join(', ')}]`, () => {
    assert.equal(wantedFolders([{ root: '.', include }], ['stagecraft.yml']), { deep, flat })
  })
}

test('a context is watched whole, its Dockerfile where it is', () => {
  const set = { root: 'api', always: ['ops/Dockerfile'], dockerignore: 'api/.dockerignore' }
  assert.equal(wantedFolders([set], []), { deep: ['api'], flat: ['ops'] })
})

interface Watched {
  readonly directory: string
  readonly watcher: ReturnType<typeof watchFolders>
  write(path: string): void
  /** Resolves when a path was told as changed. */
  tells(path: string): Promise<void>
}

async function watching(start: typeof watchFolders, work: (watched: Watched) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const told = new Set<string>()
    const heard = new EventEmitter()
    const write = (path: string) => {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), String(told.size))
    }
    write('src/a.ts')
    write('src/node_modules/x/index.js')
    const watcher = start(directory, (path) => {
      told.add(path)
      heard.emit('change')
    })
    const tells = (path: string) => {
      const seen = new Promise<void>((resolve) => {
        const look = () => {
          if (!told.delete(path)) return
          heard.off('change', look)
          resolve()
        }
        heard.on('change', look)
        look()
      })
      return within(10_000, seen)
    }
    try {
      watcher.sync({ deep: ['src', 'later/deep'], flat: ['.'] })
      await work({ directory, watcher, write, tells })
    } finally {
      watcher.close()
    }
  })
}

test('folders that vanish, come back, are replaced or appear are watched all the same, and nothing is left over', () =>
  watching(watchFolders, async ({ directory, watcher, write, tells }) => {
    const wanted = { deep: ['src', 'later/deep'], flat: ['.'] }
    const before = watcher.size
    assert.is(before, 2, 'the project and src; node_modules is passed over')
    write('src/a.ts')
    await tells('src/a.ts')
    rmSync(join(directory, 'src'), { recursive: true })
    await tells('src')
    watcher.sync(wanted)
    assert.is(watcher.size, 1)
    write('src/new/b.ts')
    await tells('src')
    watcher.sync(wanted)
    await tells('src/new/b.ts')
    mkdirSync(join(directory, 'aside'))
    write('aside/c.ts')
    rmSync(join(directory, 'src/new'), { recursive: true })
    renameSync(join(directory, 'aside'), join(directory, 'src/new'))
    await tells('src/new')
    watcher.sync(wanted)
    await tells('src/new/c.ts')
    // A late word of the old folder may drop the watch of the new one: whoever is told brings the watches in step again, as the loop does.
    const follow = setInterval(() => watcher.sync(wanted), 20)
    write('src/new/d.ts')
    await tells('src/new/d.ts').finally(() => clearInterval(follow))
    write('later/deep/e.ts')
    await tells('later')
    watcher.sync(wanted)
    await tells('later/deep/e.ts')
    for (let round = 0; round < 30; round++) {
      rmSync(join(directory, 'src/new'), { recursive: true })
      watcher.sync(wanted)
      write('src/new/f.ts')
      watcher.sync(wanted)
    }
    assert.is(watcher.size, 5, '., src, src/new, later, later/deep')
  }))

test('looking again and again notices files that are written, made and removed', () =>
  watching(
    (directory, onChange) => pollFolders(directory, 10, onChange),
    async ({ directory, write, tells }) => {
      write('src/b.ts')
      await tells('src/b.ts')
      rmSync(join(directory, 'src/a.ts'))
      await tells('src/a.ts')
    },
  ))

test('a burst is told once, sorted; what came while nobody waited is told at once', async () => {
  const bursts = gatherBursts({ quietMs: 5, longestMs: 100 })
  const first = bursts.next()
  for (const path of ['b', 'a', 'b']) bursts.add(path)
  assert.equal(await within(2000, first), ['a', 'b'])
  bursts.add('c')
  assert.equal(await within(2000, bursts.next()), ['c'])
  bursts.add('d')
  assert.equal(bursts.take(), ['d'])
  bursts.close()
})

test('a burst without end is told all the same', async () => {
  const bursts = gatherBursts({ quietMs: 200, longestMs: 50 })
  const timer = setInterval(() => bursts.add('x'), 5)
  try {
    assert.equal(await within(5000, bursts.next()), ['x'])
  } finally {
    clearInterval(timer)
    bursts.close()
  }
})

test('keys', () => {
  for (const [text, key] of [
    ['q', 'quit'],
    ['\u0003', 'quit'],
    ['\u0004', 'quit'],
    ['r', 'run'],
    ['\r', 'run'],
    ['x', undefined],
  ] as const)
    assert.is(keyOf(text), key)
  const modes: boolean[] = []
  const stdin = Object.assign(new EventEmitter(), { isTTY: true, setRawMode: (on: boolean) => modes.push(on), resume() {}, pause() {} })
  const keys: string[] = []
  const stop = listenForKeys(stdin as unknown as NodeJS.ReadStream, (key) => keys.push(key))
  stdin.emit('data', Buffer.from('rxq'))
  stop()
  stdin.emit('data', Buffer.from('r'))
  assert.equal(
    [keys, modes],
    [
      ['run', 'quit'],
      [true, false],
    ],
  )
})

for (const [code, limit] of [
  ['ENOSPC', 'max_user_watches'],
  ['EMFILE', 'max_user_instances'],
] as const) {
  test(`a limit of the system is told with its remedy: ${code}`, () =>
    inTemporaryDirectory(async (directory) => {
      mkdirSync(join(directory, 'src'))
      const refuse = (path: string) => {
        if (path === join(directory, 'src')) throw Object.assign(new Error(`${code}: limit reached`), { code })
        return Object.assign(new EventEmitter(), { close: () => undefined })
      }
      const watcher = watchFolders(directory, () => undefined, refuse as unknown as typeof watch)
      try {
        watcher.sync({ deep: ['.'], flat: [] })
        assert.unreachable()
      } catch (error) {
        assert.instance(error, TaskFailure)
        const { message, remedy } = (error as TaskFailure).failure
        assert.is(message, `the system lets us watch no more than the 1 folder watched now (${code})`)
        assert.match(remedy ?? '', limit)
        assert.match(remedy ?? '', 'STAGECRAFT_WATCH_POLL')
      } finally {
        watcher.close()
      }
    }))
}

test.run()
