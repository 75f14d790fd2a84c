/**
 * An advisory lock between processes on one machine, held for the milliseconds a read-modify-write takes.
 * It is a file made with O_EXCL that names its owner; a file whose owner is gone is taken over.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { TaskFailure } from '../../tasks/kind.ts'
import { isGone, thisProcess } from './process-identity.ts'
import type { ReleaseOwner } from './release.ts'
import type { StateFiles } from './state-files.ts'

export interface StateLock {
  /** False when somebody took it over, believing us gone: nothing may be written then. */
  held(): Promise<boolean>
  release(): Promise<void>
}

interface Holder extends ReleaseOwner {
  readonly nonce: string
}

const pollMs = 10

/** @throws TaskFailure `lock-held` naming the holder when `waitMs` pass without getting it. */
export async function acquireStateLock(path: string, files: StateFiles, waitMs: number): Promise<StateLock> {
  const mine: Holder = { ...thisProcess(), nonce: randomUUID() }
  const deadline = performance.now() + waitMs
  for (;;) {
    if (await create(path, mine, files)) break
    const text = await read(path, files)
    const holder = text === undefined ? undefined : parse(text)
    if (text !== undefined && holder && isGone(holder)) await takeAway(path, text, files)
    else if (performance.now() >= deadline) throw heldBy(path, holder)
    else await sleep(pollMs)
  }
  const held = async () => parse((await read(path, files)) ?? '')?.nonce === mine.nonce
  return {
    held,
    release: async () => {
      if (await held()) await files.rm(path, { force: true })
    },
  }
}

/** Written aside and linked into place, so that nobody ever reads half a holder. */
async function create(path: string, holder: Holder, files: StateFiles): Promise<boolean> {
  const temporary = `${path}.${holder.nonce}`
  const handle = await files.open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(JSON.stringify(holder))
  } finally {
    await handle.close()
  }
  try {
    await files.link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await files.rm(temporary, { force: true })
  }
}

/**
 * Two processes may judge the same holder gone; the slower one must not take the faster one's new lock. Moving the file is
 * atomic, so what was moved is looked at, and put back when it is not what was judged. The gap that leaves is closed by
 * `held()`, asked before anything is written.
 */
async function takeAway(path: string, judged: string, files: StateFiles): Promise<void> {
  const aside = `${path}.gone-${randomUUID()}`
  try {
    await files.rename(path, aside)
    if ((await read(aside, files)) !== judged) await files.link(aside, path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error
  } finally {
    await files.rm(aside, { force: true })
  }
}

async function read(path: string, files: StateFiles): Promise<string | undefined> {
  try {
    return await files.readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'pid' in value && 'nonce' in value ? (value as Holder) : undefined
  } catch {
    return undefined
  }
}

function heldBy(path: string, holder: Holder | undefined): TaskFailure {
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'an unknown process'
  return new TaskFailure({
    reason: 'lock-held',
    subject: path,
    message: `the release history is being written by ${who}`,
    remedy: `wait for it to end; if no such process exists any more, remove ${path}`,
  })
}
