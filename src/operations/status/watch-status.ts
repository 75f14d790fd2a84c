/**
 * Shows the status until it is interrupted. Hosts tell by events when something happens to a container; what no event tells of (a lock, a
 * release), and hosts that do not answer, are looked at every few seconds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { App } from '../../contracts.ts'
import type { Fleet } from '../fleet.ts'
import { readHostAgain, readStatus } from './read-status.ts'
import type { StatusReport } from './report.ts'

export interface WatchOptions {
  show(report: StatusReport): void
  warn(message: string): void
  /** Between a host's event and the look at it: events come in bunches. */
  readonly settleMs?: number
  /** Between looks when nothing is told. */
  readonly pollMs?: number
}

export async function watchStatus(fleet: Fleet, app: App, options: WatchOptions): Promise<void> {
  const { settleMs = 200, pollMs = 5_000, show } = options
  // Said once, not with every look.
  const said = new Set<string>()
  const warn = (message: string) => {
    if (!said.has(message)) options.warn(message)
    said.add(message)
  }
  let look = await readStatus(fleet, app, warn)
  show(look.report)
  // A host's answer replaces its last one in whatever the others have answered meanwhile.
  const lookAgain = async (name: string): Promise<boolean> => {
    const again = await readHostAgain(fleet, name, () => look, app, warn)
    look = again
    show(look.report)
    return again.answers.some((answer) => answer.name === name && answer.ok)
  }
  await Promise.all(fleet.hosts.map(({ name }) => watchHost(fleet, name, { app, settleMs, pollMs, look: () => lookAgain(name) })))
}

interface HostWatch {
  readonly app: App
  readonly settleMs: number
  readonly pollMs: number
  /** @returns whether the host answered. */
  look(): Promise<boolean>
}

async function watchHost(fleet: Fleet, name: string, { app, settleMs, pollMs, look }: HostWatch): Promise<void> {
  const { signal } = app
  let wake = () => {}
  let subscription: { close(): void } | undefined
  const subscribe = async () => {
    try {
      return await fleet.host(name).engine.events(({ action }) => {
        if (action === 'disconnected') subscription = undefined
        wake()
      })
    } catch (error) {
      if (signal.aborted || error instanceof TaskFailure) return undefined
      throw error
    }
  }
  while (!signal.aborted) {
    subscription ??= await subscribe()
    const woken = new AbortController()
    wake = () => woken.abort()
    await delay(pollMs, undefined, { signal: AbortSignal.any([woken.signal, signal]) }).catch(() => undefined)
    if (woken.signal.aborted) await delay(settleMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const isThere = await look().catch((error: unknown) => {
      if (signal.aborted) return true
      throw error
    })
    if (isThere) continue
    subscription?.close()
    subscription = undefined
    await fleet.redial(name)
  }
  subscription?.close()
}
