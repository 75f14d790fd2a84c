/** When a server that is busy, or a connection that broke, is asked once more. */
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../foreign.ts'
import type { HttpAnswer } from './exchange.ts'

/** Waits between attempts; ends early, and quietly, when the signal aborts. */
export type Pause = (ms: number, signal: AbortSignal | undefined) => Promise<void>

export interface PatienceOptions {
  readonly signal?: AbortSignal | undefined
  readonly pause: Pause
  /** From the first question to the beginning of the last: who asks for more is not waited for. Default: any number of pauses. */
  readonly patienceMs?: number | undefined
}

const attempts = 4
const longestPauseMs = 20_000

/**
 * The outcome of the first attempt that is not worth repeating, or of the last. Only for requests that are safe to repeat.
 * @throws whatever the last attempt threw.
 */
export async function patiently(
  attemptOnce: () => Promise<HttpAnswer>,
  { signal, pause, patienceMs = Number.POSITIVE_INFINITY }: PatienceOptions,
): Promise<HttpAnswer> {
  const begun = performance.now()
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce().catch((error: Error) => error)
    const waitMs = attempt < attempts && !signal?.aborted ? retryAfterMs(outcome, attempt, Date.now()) : undefined
    if (waitMs === undefined || performance.now() - begun + waitMs > patienceMs) {
      if (outcome instanceof Error) throw outcome
      return outcome
    }
    await pause(waitMs, signal)
  }
}

/** How long to wait before asking again; undefined when asking again is of no use. */
export function retryAfterMs(outcome: HttpAnswer | Error, attempt: number, now: number): number | undefined {
  const backoffMs = 250 * 2 ** (attempt - 1)
  if (outcome instanceof Error) return ['ECONNRESET', 'EPIPE', 'EAI_AGAIN'].includes(codeOf(outcome) ?? '') ? backoffMs : undefined
  if (![429, 502, 503, 504].includes(outcome.status)) return undefined
  const header = outcome.headers['retry-after']
  if (header === undefined) return backoffMs
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Math.max(Date.parse(header) - now, 0)
  return Number.isNaN(waitMs) ? backoffMs : waitMs <= longestPauseMs ? waitMs : undefined
}

/** The real clock. */
export async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // Being interrupted while waiting is seen by whoever waits.
  await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}
