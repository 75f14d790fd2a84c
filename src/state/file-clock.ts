/** The clock that stamps files, read from a file: it is not ours, on a network not even this machine's, and it ticks as slowly as every ten milliseconds. */
import { lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What ticks in whole seconds may tick in every other one. */
const coarseMs = 2000

export interface FileClock {
  /**
   * Has time gone on since this change, so that the next one will show? Only then does a stamp vouch for a content that was read after asking (the "racy"
   * problem: https://git-scm.com/docs/racy-git). ctime alone counts: nobody can set it.
   */
  isPast(change: { readonly ctimeMs: number; readonly dev: number }): boolean
}

/** @param path of a file of ours beside the files it is asked about; without one, what is two seconds old by our own clock is past. */
export function fileClock(path: string | undefined, systemMs: () => number = Date.now): FileClock {
  let nowMs = Number.NEGATIVE_INFINITY
  let device: number | undefined

  function touch(): void {
    if (path === undefined) return
    try {
      tick(path)
      const { ctimeMs, dev } = lstatSync(path)
      nowMs = ctimeMs
      device = dev
    } catch {
      // A folder that cannot be written to: nothing vouches but age.
      device = undefined
    }
  }

  return {
    isPast({ ctimeMs, dev }) {
      if (device === undefined) touch()
      if (device === undefined) return systemMs() - ctimeMs >= coarseMs
      const marginMs = dev !== device || isWholeSecond(ctimeMs) || isWholeSecond(nowMs) ? coarseMs : 0
      if (ctimeMs + marginMs < nowMs) return true
      if (marginMs > 0 && ctimeMs + marginMs > systemMs()) return false
      touch()
      return ctimeMs + marginMs < nowMs
    },
  }
}

function isWholeSecond(timeMs: number): boolean {
  return timeMs % 1000 === 0
}

function tick(path: string): void {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
  }
}
