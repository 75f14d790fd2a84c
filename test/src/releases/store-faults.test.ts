/** The history with a file system that fails, or a process that dies, at every single step of a write. */
import { spawnSync } from 'node:child_process'
import * as nodeFiles from 'node:fs/promises'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StateFiles } from '../../../src/releases/state-files.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { release } from '../../support/releases.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/releases/store-faults')
const first = { ...release('rel-20260101-000000000'), mine: 'kept' }
const second = release('rel-20260102-000000000')
const third = release('rel-20260103-000000000')

/** The real functions; `before` is asked before each step, counted from 0, and may throw. Handles count too. */
function counted(before: (step: number) => void): StateFiles & { steps(): number } {
  let count = 0
  const step = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      before(count++)
      return work(...args)
    }
  }
  const open = async (...args: Parameters<StateFiles['open']>) => {
    before(count++)
    const handle = await nodeFiles.open(...args)
    const [write, sync, close] = [handle.writeFile.bind(handle), handle.sync.bind(handle), handle.close.bind(handle)]
    handle.writeFile = async (data) => {
      // What fails has written a part.
      const text = String(data)
      await write(text.slice(0, text.length >> 1))
      before(count++)
      await write(text.slice(text.length >> 1))
    }
    handle.sync = step(sync)
    handle.close = async () => {
      // Or the test would leak what a dead process does not.
      await close()
      before(count++)
    }
    return handle
  }
  const { link, mkdir, readdir: list, readFile: read, rename, rm } = nodeFiles
  const all = { link: step(link), mkdir: step(mkdir as never), readdir: step(list as never), readFile: step(read as never) }
  return { ...all, rename: step(rename), rm: step(rm), open, steps: () => count } as never
}

const broken = (code: string) => Object.assign(new Error(`${code}: injected`), { code })

async function stepsOfAWrite(): Promise<number> {
  return inTemporaryDirectory(async (projectDirectory) => {
    await createReleaseStore({ projectDirectory }).update(() => [first])
    const files = counted(() => {})
    await createReleaseStore({ projectDirectory, files }).update((releases) => [...releases, second])
    return files.steps()
  })
}

/** The history is the old one or the new one, whole, with what is not ours in it; and the next write goes through. */
async function assertGoesOn(projectDirectory: string, what: string): Promise<void> {
  const store = createReleaseStore({ projectDirectory, lockWaitMs: 2000 })
  const seen = await store.read()
  assert.ok(seen.length === 1 || seen.length === 2, what)
  assert.equal(seen, [first, second].slice(0, seen.length), what)
  await store.update((releases) => [...releases, third])
  assert.equal(await store.read(), [...seen, third], what)
  assert.equal(await readdir(dirname(store.path)), ['releases.json'], what)
}

for (const code of ['ENOSPC', 'EACCES', 'EIO']) {
  test(`${code} at any one step: the history is whole, the error names it, and the next write goes through`, async () => {
    const steps = await stepsOfAWrite()
    assert.ok(steps > 10)
    for (let at = 0; at < steps; at++) {
      await inTemporaryDirectory(async (projectDirectory) => {
        await createReleaseStore({ projectDirectory }).update(() => [first])
        const files = counted((step) => {
          if (step === at) throw broken(code)
        })
        const store = createReleaseStore({ projectDirectory, files, lockWaitMs: 0 })
        const [written] = await Promise.allSettled([store.update((releases) => [...releases, second])])
        if (written.status === 'rejected') {
          assert.instance(written.reason, TaskFailure, `step ${at}: ${written.reason}`)
          assert.match(written.reason.message, code)
        } else assert.equal((await createReleaseStore({ projectDirectory }).read()).length, 2, 'never told as written when it is not')
        await removeOwnLock(store.path)
        await assertGoesOn(projectDirectory, `step ${at}`)
      })
    }
  })
}

test('killed at any step: the history is whole, and the next process goes on', async () => {
  const steps = await stepsOfAWrite()
  const { pid: gone } = spawnSync(process.execPath, ['-e', ''])
  for (let at = 0; at < steps; at++) {
    await inTemporaryDirectory(async (projectDirectory) => {
      await createReleaseStore({ projectDirectory }).update(() => [first])
      const files = counted((step) => {
        if (step >= at) throw broken('EIO')
      })
      const store = createReleaseStore({ projectDirectory, files, lockWaitMs: 0 })
      await Promise.allSettled([store.update((releases) => [...releases, second])])
      await asIfBy(gone, store.path)
      await assertGoesOn(projectDirectory, `step ${at}`)
    })
  }
})

const lockOf = (path: string) => join(dirname(path), 'releases.lock')

/** A lock that could not be given back is this process's own, which lives: a person is told to remove it. */
async function removeOwnLock(path: string): Promise<void> {
  for (const name of await readdir(dirname(path)))
    if (name.startsWith('releases.lock')) await nodeFiles.rm(join(dirname(path), name), { force: true })
}

/** The lock that was left names a process that is gone. What it wrote beside the lock under a name of its own is left out. */
async function asIfBy(pid: number, path: string): Promise<void> {
  const text = await readFile(lockOf(path), 'utf8').catch(() => undefined)
  const holder = text === undefined ? undefined : { ...(JSON.parse(text) as object), pid, start: '1' }
  await removeOwnLock(path)
  if (holder) await writeFile(lockOf(path), JSON.stringify(holder))
}

test.run()
