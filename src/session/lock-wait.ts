/** `deploy --wait`: whoever finds the environment's lock held asks again until it is free, for a bounded time, and says for whom it waits. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { parseDuration } from '../config/duration.ts'
import { type App, InputError } from '../contracts.ts'

export interface LockWait {
  /** For all hosts of the run together, from the first lock that is found held. */
  readonly limitMs: number
  /** Told at first, when another holder is met, and once a minute: a log that stands still looks dead. */
  readonly notice: (line: string) => void
  /** The run's: ends the wait. */
  readonly signal: AbortSignal
  /** Milliseconds that never go back. For tests. */
  readonly now?: () => number
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** Long enough for most deploys, and shorter than what a CI service gives a job. */
const defaultLimitMs = 15 * 60_000
/** Asking takes three round trips and touches two small files. */
const pollMs = 2_000
const tellAgainMs = 60_000

/** @returns milliseconds; undefined when nobody asked to wait. @throws InputError for what is no duration. */
export function waitLimit(given: boolean | string | undefined): number | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return defaultLimitMs
  const seconds = parseDuration(given)
  if (seconds !== undefined && seconds > 0) return seconds * 1000
  const message = `\`--wait\` takes a duration such as \`90s\`, \`10m\` or \`1h\`, not \`${given}\``
  throw new InputError([{ code: 'SC3004', severity: 'error', message }])
}

/** @param limitMs undefined: nobody waits. */
export function lockWaiter(limitMs: number | undefined, { signal, stderr }: Pick<App, 'signal' | 'stderr'>) {
  return limitMs === undefined ? undefined : waitingForLock({ limitMs, signal, notice: (line) => void stderr.write(`${line}\n`) })
}

/** @returns what takes a lock as `take` does, and waits while it is held. @throws TaskFailure (lock-held) when the time is up, (interrupted). */
export function waitingForLock(wait: LockWait): <T>(take: () => Promise<T>) => Promise<T> {
  const { now = () => performance.now(), pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }) } = wait
  let began: number | undefined
  let told: { readonly holder: string; readonly at: number } | undefined

  function tell({ message, subject }: Failure): void {
    const holder = `${subject} ${holderIn(message)}`
    if (told?.holder === holder && now() - told.at < tellAgainMs) return
    told = { holder, at: now() }
    wait.notice(`waiting for the lock: ${message}`)
  }

  return async (take) => {
    for (;;) {
      let held: Failure
      try {
        return await take()
      } catch (error) {
        if (!(error instanceof TaskFailure) || error.failure.reason !== 'lock-held') throw error
        held = error.failure
      }
      began ??= now()
      const leftMs = began + wait.limitMs - now()
      if (leftMs <= 0) throw new TaskFailure({ ...held, message: `${held.message}; waited ${Math.round(wait.limitMs / 1000)} s for it` })
      tell(held)
      try {
        await pause(Math.min(pollMs, leftMs), wait.signal)
      } catch {
        throw new TaskFailure({ reason: 'interrupted', subject: held.subject, message: `interrupted while waiting: ${held.message}` })
      }
    }
  }
}

/** Without how long ago it gave a sign of life, which is another at every look. */
function holderIn(message: string): string {
  return message.split('; ')[0] ?? message
}
