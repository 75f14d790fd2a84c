import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ReleaseOwner } from './release.ts'

/** This process, told apart from any other on any machine. */
export function thisProcess(): ReleaseOwner {
  return { host: hostname(), pid: process.pid, start: startOf(process.pid) }
}

/**
 * Whether a process on this machine is gone: no such pid, or the pid belongs to a process that started at another time.
 * @returns false for a process of another machine, of which nothing can be known from here.
 */
export function isGone(owner: ReleaseOwner): boolean {
  if (owner.host !== hostname()) return false
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
  const start = startOf(owner.pid)
  return owner.start !== '' && start !== '' && start !== owner.start
}

/**
 * Start of a process in clock ticks after boot: field 22 of `/proc/<pid>/stat` (proc(5)), counted from the end of the
 * command name, which may hold spaces and parentheses. Empty where there is no `/proc`.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
