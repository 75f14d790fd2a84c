/** The processes of this machine, as proc(5) lists them. Where there is no `/proc`, nothing is known and every answer is empty. */
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessEntry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** Clock ticks after boot: with the pid, it tells a process from any other. */
  readonly start: string
  /** The name of what it runs, cut to 15 characters. */
  readonly name: string
}

/** Those that run: one that has ended and waits to be collected (a zombie) is gone, whoever fails to collect it. */
export function livingProcesses(): readonly ProcessEntry[] {
  return pidsListed().flatMap((pid) => {
    const entry = readEntry(pid)
    return entry === undefined ? [] : [entry]
  })
}

/** Whether a word is in the environment a process was started with. False for what is not ours to look at. */
export function carries(pid: number, word: string): boolean {
  return readText(`/proc/${pid}/environ`).includes(word)
}

function pidsListed(): readonly number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  } catch {
    return []
  }
}

/** Fields of `/proc/<pid>/stat` are counted from the end of the name, which may hold spaces and parentheses. */
function readEntry(pid: number): ProcessEntry | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  const [state, parent, group] = fields
  // Only when the last of its threads has gone are its files closed and its ports free; the first may be a zombie long before.
  const isGone = state === 'X' || (state === 'Z' && Number(fields[17]) <= 1)
  if (state === undefined || state === '' || isGone) return undefined
  const name = stat.slice(stat.indexOf('(') + 1, nameEnd)
  return { pid, parent: Number(parent), group: Number(group), start: fields[19] ?? '', name }
}

/** Empty for what has just ended, or belongs to somebody else. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
