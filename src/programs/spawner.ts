/**
 * Where programs are started from. Node forks, and a fork copies the table of all memory of the process that does it: 1 ms in a fresh one, 3 in a run of a
 * thousand tasks, more in a larger, and all the while the run stands still. So a run that starts many has it done by a small process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ProgramEnd } from '../../tasks/ports.ts'
import type { SpawnerReply, SpawnRequest } from './spawner-protocol.ts'

/** Set by the bundler: where the spawner lies as seen from the chunk with this code. */
declare const STAGECRAFT_SPAWNER: string | undefined

/** A program that was started. */
export interface Started {
  readonly pid: number
  /** It has ended itself; its output may not be complete yet. Undefined when nobody can say how, as the spawner was ended from outside. */
  readonly ended: Promise<ProgramEnd | undefined>
}

export interface Spawner {
  /** @throws the system's error when it cannot be started. */
  start(request: Omit<SpawnRequest, 'id'>): Promise<Started>
}

/** After so many programs, starting the spawner (40 ms on another processor) pays. */
const worthwhile = 12

let asked = 0
let current: Spawner | undefined

/** Counts the programs that this process starts. @returns the spawner when there is one that is ready; it gets one when it is worth it. */
export function countedSpawner(): Spawner | undefined {
  asked += 1
  if (asked === worthwhile) openSpawner((spawner) => (current = spawner))
  return current
}

interface Pending {
  readonly started: (started: Started) => void
  readonly refused: (error: Error) => void
}

/** @param tell what there is from now on: a spawner that is ready, or none any more. */
export function openSpawner(tell: (spawner: Spawner | undefined) => void): ChildProcess {
  const path = fileURLToPath(new URL(typeof STAGECRAFT_SPAWNER === 'string' ? STAGECRAFT_SPAWNER : './spawner-main.js', import.meta.url))
  const { NODE_OPTIONS: _options, NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env
  // In a session of its own: Ctrl-C in the terminal is for us to deal with.
  const child = spawn(process.execPath, ['--max-semi-space-size=1', path], {
    env,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const pending = new Map<number, Pending>()
  const running = new Map<number, (end: ProgramEnd | undefined) => void>()
  let count = 0

  const isIdle = () => pending.size === 0 && running.size === 0
  const receive = (reply: SpawnerReply): void => {
    if ('ready' in reply) {
      tell(spawner)
      return
    }
    const { id } = reply
    if ('message' in reply) pending.get(id)?.refused(Object.assign(new Error(reply.message), { code: reply.code }))
    else if (reply.pid !== undefined) {
      const ended = new Promise<ProgramEnd | undefined>((resolve) => running.set(id, resolve))
      pending.get(id)?.started({ pid: reply.pid, ended })
    }
    pending.delete(id)
    if ('end' in reply) {
      running.get(id)?.(reply.end)
      running.delete(id)
    }
    if (isIdle()) child.channel?.unref()
  }
  const lose = (): void => {
    tell(undefined)
    for (const { refused } of pending.values()) refused(new Error('the process that starts programs for this run was ended'))
    for (const resolve of running.values()) resolve(undefined)
    pending.clear()
    running.clear()
  }
  const spawner: Spawner = {
    start: (request) =>
      new Promise((started, refused) => {
        if (isIdle()) child.channel?.ref()
        const id = count++
        pending.set(id, { started, refused })
        child.send({ id, ...request } satisfies SpawnRequest)
      }),
  }
  child.on('message', receive)
  // Before the first reply, there is none and never will be; later, `exit` says so too.
  child.on('error', lose)
  child.on('disconnect', lose)
  // Whatever it does, it keeps nobody.
  child.unref()
  child.channel?.unref()
  return child
}
