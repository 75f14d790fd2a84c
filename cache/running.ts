/** Which processes use a cache now: what they took or put since they began is not collected under their feet. */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf } from './foreign.ts'
import { namesIfThere } from './if-there.ts'
import { runningFolder } from './layout.ts'

/** A process of another machine cannot be asked whether it lives, and a pid is given again: after this it counts as gone. */
const longestMs = 24 * 3_600_000

const mine = new Set<string>()

/** Says that this process uses the cache, until it ends. Best effort: without it a collection may cost somebody a miss. */
export function announce(directory: string): void {
  const path = join(directory, runningFolder, `${hostname()}.${process.pid}`)
  if (mine.has(path)) return
  if (mine.size === 0) process.once('exit', withdraw)
  mine.add(path)
  try {
    mkdirSync(join(directory, runningFolder), { recursive: true })
    writeFileSync(path, '')
  } catch {
    // A cache that cannot be written says so where something is lost by it.
  }
}

function withdraw(): void {
  for (const path of mine) {
    try {
      rmSync(path, { force: true })
    } catch {
      // It was never written, or cannot be removed: whoever collects finds that we are gone.
    }
  }
}

/** When the oldest process that still runs began to use the cache, in milliseconds; undefined when there is none. Removes what dead ones left. */
export function runningSince(directory: string, nowMs: number): number | undefined {
  let oldest: number | undefined
  for (const name of namesIfThere(join(directory, runningFolder))) {
    const path = join(directory, runningFolder, name)
    const sinceMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (sinceMs === undefined) continue
    if (nowMs - sinceMs > longestMs || isGone(name)) rmSync(path, { force: true })
    else oldest = Math.min(oldest ?? sinceMs, sinceMs)
  }
  return oldest
}

function isGone(name: string): boolean {
  const dot = name.lastIndexOf('.')
  const pid = Number(name.slice(dot + 1))
  if (!Number.isInteger(pid) || pid <= 0) return true
  if (name.slice(0, dot) !== hostname()) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return codeOf(error) === 'ESRCH'
  }
}
