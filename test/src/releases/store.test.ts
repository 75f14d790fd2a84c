import { spawn } from 'node:child_process'
import * as nodeFiles from 'node:fs/promises'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StateFiles } from '../../../src/releases/state-files.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { release } from '../../support/releases.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'

const test = suite('src/releases/store')
const first = release('rel-20260101-000000000')
const second = release('rel-20260102-000000000')

test('the history is kept beside the manifest, unless the variable, unless the caller says otherwise', () => {
  const projectDirectory = join('/', 'srv', 'shop')
  const env = { STAGECRAFT_STATE_FILE: 'state/history.json' }
  assert.is(createReleaseStore({ projectDirectory }).path, join(projectDirectory, '.stagecraft', 'releases.json'))
  assert.is(
    createReleaseStore({ projectDirectory, env: { STAGECRAFT_STATE_FILE: '' } }).path,
    join(projectDirectory, '.stagecraft', 'releases.json'),
  )
  assert.is(createReleaseStore({ projectDirectory, env }).path, join(projectDirectory, 'state', 'history.json'))
  assert.is(createReleaseStore({ projectDirectory, env, path: '/elsewhere.json' }).path, join('/', 'elsewhere.json'))
})

test('no file is an empty history, and reading creates nothing', () =>
  inTemporaryDirectory(async (directory) => {
    assert.equal(await createReleaseStore({ projectDirectory: directory }).read(), [])
    assert.equal(await readdir(directory), [])
  }))

test('what one store writes another reads, and nothing else is left behind', () =>
  inTemporaryDirectory(async (directory) => {
    const [a, b] = [createReleaseStore({ projectDirectory: directory }), createReleaseStore({ projectDirectory: directory })]
    await a.update((releases) => [...releases, first])
    await b.update((releases) => [...releases, second])
    assert.equal(await a.read(), [first, second])
    assert.equal(await readdir(dirname(a.path)), ['releases.json'])
  }))

test('a change that changes nothing writes nothing', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory })
    await store.update((releases) => releases)
    assert.equal(await readdir(dirname(store.path)), [])
  }))

test('fields of the root that are not ours survive', () =>
  inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'releases.json')
    await writeFile(path, JSON.stringify({ releases: [{ ...first, mine: 1 }], audit: { by: 'anna' } }))
    await createReleaseStore({ projectDirectory: directory, path }).update((releases) => [...releases, second])
    const root: unknown = JSON.parse(await readFile(path, 'utf8'))
    assert.equal(root, { schema_version: 1, audit: { by: 'anna' }, releases: [{ ...first, mine: 1 }, second] })
  }))

test('a damaged file is never written over', () =>
  inTemporaryDirectory(async (directory) => {
    const path = join(directory, 'releases.json')
    await writeFile(path, '{"releases": [')
    const store = createReleaseStore({ projectDirectory: directory, path })
    await rejects(store.read(), /damaged/)
    await rejects(
      store.update(() => [first]),
      /damaged/,
    )
    assert.is(await readFile(path, 'utf8'), '{"releases": [')
    assert.equal(await readdir(directory), ['releases.json'])
  }))

test('an error inside the change is passed on and releases the lock', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory, lockWaitMs: 100 })
    await rejects(
      store.update(() => {
        throw new Error('ours')
      }),
      /^ours$/,
    )
    await store.update(() => [first])
    assert.equal(await store.read(), [first])
  }))

/** The real functions, with `broken` failing for paths that match. */
function failing(step: 'mkdir' | 'link' | 'open' | 'rename' | 'readFile' | 'writeFile' | 'sync' | 'close', path: RegExp): StateFiles {
  const fail = (): never => {
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${step}`), { code: 'ENOSPC' })
  }
  const guarded = (name: string, original: (...args: never[]) => unknown) =>
    name === step
      ? (...args: never[]) => (args.some((arg) => path.test(String(arg))) ? Promise.reject(toError(fail)) : original(...args))
      : original
  const open = async (...args: Parameters<StateFiles['open']>) => {
    if (step === 'open' && path.test(String(args[0]))) fail()
    const handle = await nodeFiles.open(...args)
    if (!path.test(String(args[0]))) return handle
    const [sync, close] = [handle.sync.bind(handle), handle.close.bind(handle)]
    if (step === 'writeFile') handle.writeFile = async () => fail()
    handle.sync = async () => (step === 'sync' ? fail() : sync())
    handle.close = async () => {
      await close()
      if (step === 'close') fail()
    }
    return handle
  }
  const { link, mkdir: makeDirectory, readdir, readFile: read, rename, rm } = nodeFiles
  return {
    open,
    readdir,
    rm,
    link: guarded('link', link as never) as never,
    mkdir: guarded('mkdir', makeDirectory as never) as never,
    readFile: guarded('readFile', read as never) as never,
    rename: guarded('rename', rename as never) as never,
  }
}

function toError(fail: () => never): unknown {
  try {
    return fail()
  } catch (error) {
    return error
  }
}

const temporary = /\.releases-.*\.tmp$/
const failures = [
  ['mkdir', /\.stagecraft$/],
  ['link', /\.lock$/],
  ['readFile', /releases\.json$/],
  ['open', temporary],
  ['writeFile', temporary],
  ['sync', temporary],
  ['close', temporary],
  ['rename', temporary],
] as const

for (const [step, path] of failures) {
  test(`a failing ${step} is a failure that leaves the history as it was, and no temporary file`, () =>
    inTemporaryDirectory(async (directory) => {
      const good = createReleaseStore({ projectDirectory: directory })
      await good.update(() => [first])
      const error = await rejects(createReleaseStore({ projectDirectory: directory, files: failing(step, path) }).update(() => [second]))
      assert.instance(error, TaskFailure)
      assert.is((error as TaskFailure).failure.subject, good.path)
      assert.match((error as TaskFailure).failure.message, new RegExp(`could not be written: ENOSPC.*${step}`))
      assert.equal(await good.read(), [first])
      assert.equal(await readdir(dirname(good.path)), ['releases.json'])
    }))
}

test('a folder that cannot be synced is no failure: the rename has happened', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory, files: failing('sync', /\.stagecraft$/) })
    await store.update(() => [first])
    assert.equal(await store.read(), [first])
  }))

test('a history that cannot be read is a failure that names it', () =>
  inTemporaryDirectory(async (directory) => {
    const error = await rejects(
      createReleaseStore({ projectDirectory: directory, files: failing('readFile', /releases\.json$/) }).read(),
      /could not be read/,
    )
    assert.instance(error, TaskFailure)
  }))

test('readers never see half a file while it is being written', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory })
    await store.update(() => [first])
    let isWriting = true
    const writing = (async () => {
      for (let index = 0; index < 30; index += 1) await store.update((releases) => [...releases, { ...second, id: `rel-x-${index}` }])
      isWriting = false
    })()
    let length = 1
    while (isWriting) {
      const releases = await store.read()
      assert.ok(releases.length >= length)
      length = releases.length
    }
    await writing
    assert.is((await store.read()).length, 31)
  }))

test('two processes appending a hundred releases each make two hundred, with ids of their own (D14)', () =>
  inTemporaryDirectory(async (directory) => {
    const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'support', 'append-releases.js')
    const append = (environment: string) =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [program, directory, environment, '100'], { stdio: 'inherit' }).once('close', resolve)
      })
    assert.equal(await within(60_000, Promise.all([append('prod'), append('staging')])), [0, 0])
    const releases = await createReleaseStore({ projectDirectory: directory }).read()
    assert.is(releases.length, 200)
    assert.is(new Set(releases.map(({ id }) => id)).size, 200)
    assert.is(releases.filter(({ environment }) => environment === 'prod').length, 100)
    assert.equal(await readdir(join(directory, '.stagecraft')), ['releases.json'])
  }))

async function leaveLock(directory: string, holder: string): Promise<string> {
  const path = join(directory, '.stagecraft', 'releases.lock')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, holder)
  return path
}

/** A pid that was in use a moment ago and is not any more. */
function deadPid(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', ''])
    child.once('close', () => resolve(child.pid ?? 0))
  })
}

test('the lock of a dead process is taken over', () =>
  inTemporaryDirectory(async (directory) => {
    await leaveLock(directory, JSON.stringify({ host: hostname(), pid: await deadPid(), start: '', nonce: 'x' }))
    const store = createReleaseStore({ projectDirectory: directory, lockWaitMs: 1_000 })
    await Promise.all([1, 2, 3, 4].map((n) => store.update((releases) => [...releases, { ...first, id: `rel-${n}` }])))
    assert.is((await store.read()).length, 4)
  }))

test('the lock of a pid that now belongs to another process is taken over', async () => {
  // Only where the system tells when a process started.
  if (!(await stat('/proc/self/stat').catch(() => undefined))) return
  await inTemporaryDirectory(async (directory) => {
    await leaveLock(directory, JSON.stringify({ host: hostname(), pid: process.pid, start: '1', nonce: 'x' }))
    await createReleaseStore({ projectDirectory: directory, lockWaitMs: 50 }).update(() => [first])
  })
})

const lasting = [
  ['a living process', { host: hostname(), pid: process.pid, start: '', nonce: 'x' }, /written by process \d+ on/],
  ['a process of another machine', { host: 'elsewhere', pid: 1, start: '', nonce: 'x' }, /written by process 1 on elsewhere/],
  ['nobody we understand', 'garbage', /written by an unknown process/],
] as const

for (const [name, holder, expected] of lasting) {
  test(`the lock of ${name} is waited for, and then named`, () =>
    inTemporaryDirectory(async (directory) => {
      const path = await leaveLock(directory, JSON.stringify(holder))
      const error = await rejects(
        createReleaseStore({ projectDirectory: directory, lockWaitMs: 30 }).update(() => [first]),
        expected,
      )
      assert.is((error as TaskFailure).failure.reason, 'lock-held')
      assert.ok((error as TaskFailure).failure.remedy?.includes(path))
      assert.equal(await readdir(dirname(path)), ['releases.lock'])
    }))
}

test('who lost the lock in the middle of a change writes nothing, and begins again', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory, lockWaitMs: 1_000 })
    const lock = join(directory, '.stagecraft', 'releases.lock')
    let calls = 0
    const open = async (...args: Parameters<StateFiles['open']>) => {
      // Just before the write somebody takes the lock over, writes, and leaves.
      if (temporary.test(String(args[0])) && calls === 1) {
        await nodeFiles.rm(lock)
        await store.update((releases) => [...releases, second])
      }
      return nodeFiles.open(...args)
    }
    const slow = createReleaseStore({ projectDirectory: directory, files: { ...nodeFiles, open } })
    await slow.update((releases) => {
      calls += 1
      return [...releases, first]
    })
    assert.is(calls, 2)
    assert.equal(await store.read(), [second, first])
  }))

test('what a writer that was killed left half-written goes with the next write, and that of another history stays', () =>
  inTemporaryDirectory(async (directory) => {
    const store = createReleaseStore({ projectDirectory: directory })
    await store.update(() => [first])
    const folder = dirname(store.path)
    for (const name of ['.releases-releases.json-1.tmp', '.releases-other.json-1.tmp']) await writeFile(join(folder, name), '')
    await store.update(() => [first, second])
    assert.equal((await readdir(folder)).sort(), ['.releases-other.json-1.tmp', 'releases.json'])
  }))

test.run()
