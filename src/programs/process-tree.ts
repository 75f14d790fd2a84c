/**
 * Everything that one program started. Its process group is most of it; what left the group (a daemon, a new session) is known by a variable
 * that it inherited and that no other program has: the cookie. So nothing is ever ended but what we started.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { carries, livingProcesses, type ProcessEntry } from './process-table.ts'

/** The variable that marks our programs. Of one run inside another it holds both cookies. */
export const cookieVariable = 'STAGECRAFT_TASK_COOKIE'

export interface ProcessTree {
  /** The process group, whose number is its leader's pid; none for what a run that is gone left behind. */
  readonly group?: number
  /** A cookie, or how several begin. */
  readonly cookie: string
}

const firstPollMs = 5
const longestPollMs = 100
/** How long the system may take to carry out a SIGKILL, and how often it is given again to what was forked meanwhile. */
const killMs = 2000

/** Its processes that run, the ones that left the group included. Empty where there is no `/proc`. */
export function membersOf(tree: ProcessTree): readonly ProcessEntry[] {
  const all = livingProcesses()
  const members = new Map<number, ProcessEntry>()
  for (const entry of all) {
    if (entry.pid === process.pid) continue
    if (entry.group === tree.group || carries(entry.pid, tree.cookie)) members.set(entry.pid, entry)
  }
  // Descendants that threw their environment away. A pass finds one generation; parents mostly come first.
  for (let before = -1; before !== members.size; ) {
    before = members.size
    for (const entry of all) if (members.has(entry.parent)) members.set(entry.pid, entry)
  }
  return [...members.values()]
}

/** Those of them that are in its group. */
export function groupMembers({ group }: ProcessTree): readonly ProcessEntry[] {
  return group === undefined || !signalGroup(group, 0) ? [] : livingProcesses().filter((entry) => entry.group === group)
}

/** SIGTERM to all of it, SIGKILL to what is left after the grace. Resolves when nothing of it runs any more. */
export async function endTree(tree: ProcessTree, graceMs: number): Promise<void> {
  signalTree(tree, 'SIGTERM')
  if (await isGoneWithin(tree, graceMs)) return
  const deadline = Date.now() + killMs
  do killTree(tree)
  while (!(await isGoneWithin(tree, longestPollMs)) && Date.now() < deadline)
}

/** SIGKILL to all of it, at once: for where nothing asynchronous runs any more. */
export function killTree(tree: ProcessTree): void {
  signalTree(tree, 'SIGKILL')
}

function signalTree(tree: ProcessTree, signal: NodeJS.Signals): void {
  // Looked at first: once a parent is gone, who its children were is no longer told.
  const members = membersOf(tree)
  if (tree.group !== undefined) signalGroup(tree.group, signal)
  for (const { pid, group } of members) if (group !== tree.group) signalProcess(pid, signal)
}

async function isGoneWithin(tree: ProcessTree, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms
  for (let pollMs = firstPollMs; isAlive(tree); pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const leftMs = deadline - Date.now()
    if (leftMs <= 0) return false
    await delay(Math.min(pollMs, leftMs))
  }
  return true
}

function isAlive(tree: ProcessTree): boolean {
  const hasTable = process.platform === 'linux'
  return hasTable ? membersOf(tree).length > 0 : tree.group !== undefined && signalGroup(tree.group, 0)
}

/** @returns whether the group has a member, one that only waits to be collected included. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  return signalProcess(-group, signal)
}

function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    // EPERM: it has become another user's process. It is there, and not ours to end.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
