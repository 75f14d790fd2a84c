/**
 * Two runs in one checkout never run the same task at the same time: its outputs would be written by both. A lock is a hard link to the record
 * of the run that holds it, so it appears whole and says whose it is; one of a run that is over is taken over.
 */
import { linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { digestOf } from '../../graph/fingerprint.ts'
import type { TaskId } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { isOver, type OtherRun, type RunRecord, readRun } from '../programs/run-record.ts'

export interface HeldTask {
  /** Another run had it meanwhile: what was known before may be wrong. */
  readonly waited: boolean
  release(): void
}

export interface TaskLocks {
  /** @param onWait told once, in words, who has it. @throws TaskFailure when it cannot be had, or `signal` aborts. */
  hold(id: TaskId, signal: AbortSignal, onWait: (holder: string) => void): Promise<HeldTask>
}

const firstPollMs = 10
const longestPollMs = 250
const unreadableMs = 5000
/** File systems without hard links, by what they say: the lock is then a file of its own. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'])

export function taskLocks(record: RunRecord): TaskLocks {
  const directory = join(record.directory, 'locks')
  let isMade = false
  const take = (path: string): boolean => {
    if (!isMade) mkdirSync(directory, { recursive: true })
    isMade = true
    return linked(record, path)
  }
  return {
    async hold(id, signal, onWait) {
      const path = join(directory, fileName(id))
      let waited = false
      for (let pollMs = firstPollMs; !take(path); pollMs = Math.min(pollMs * 2, longestPollMs)) {
        const holder = readRun(path)
        if (holder === undefined ? isForgotten(path) : isOver(holder, path)) {
          removeDead(path, holder, record)
          continue
        }
        if (!waited && holder !== undefined) onWait(described(holder))
        waited ||= holder !== undefined
        await delay(pollMs, undefined, { signal }).catch((cause) => {
          throw new TaskFailure({ reason: 'interrupted', subject: id, message: 'interrupted while another run was at it' }, { cause })
        })
      }
      return { waited, release: () => rmSync(path, { force: true }) }
    },
  }
}

/** @returns false when somebody has it. */
function linked(record: RunRecord, path: string): boolean {
  try {
    linkSync(record.path(), path)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!noLinks.has(code)) throw error
  }
  try {
    writeFileSync(path, record.head, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** A lock that says nothing is being written, but not for long. */
function isForgotten(path: string): boolean {
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs
  return touched !== undefined && Date.now() - touched > unreadableMs
}

/** Out of the way first, and looked at again there: between the look and the removal, another run may have taken it over. */
function removeDead(path: string, holder: OtherRun | undefined, record: RunRecord): void {
  const aside = `${path}.${record.cookie}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const moved = readRun(aside)
  if (moved !== undefined && moved.cookie !== holder?.cookie && statSync(path, { throwIfNoEntry: false }) === undefined)
    renameSync(aside, path)
  else rmSync(aside, { force: true })
}

function described({ owner }: OtherRun): string {
  return `another run (pid ${owner.pid} on ${owner.host})`
}

/** Ids may hold what file names may not; a very long one goes by its digest. */
function fileName(id: TaskId): string {
  const name = encodeURIComponent(id)
  return name.length <= 120 ? name : digestOf(id)
}
