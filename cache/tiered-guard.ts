/**
 * What a run will put up with from a cache on the network. Each request has a time limit, so many are under way at once, and after a few failures
 * in a row or a single silence it is not asked again: a dead cache costs a run its time limit once, not once a task.
 */

import { setMaxListeners } from 'node:events'
import { codeOf, messageOf } from './foreign.ts'
import { createSlots } from './slots.ts'

export interface RemoteLimits {
  /** For an answer, without the time its bytes take. */
  readonly timeoutMs: number
  /** For look-ups in a row that find nothing, and for uploads at the end of a run. */
  readonly maxWaitMs: number
}

/** What is asked of it: a token may be good for one and not for the other. */
export type Direction = 'reading' | 'writing'

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

export interface RemoteGuard {
  isOn(direction: Direction): boolean
  /**
   * Waits for a slot and asks; never rejects. Why it has no answer was told to the user when that is for good.
   * @param sizeBytes how much is to travel: added to the time limit.
   */
  ask<T>(direction: Direction, work: (signal: AbortSignal) => Promise<T>, sizeBytes?: number): Promise<Answer<T>>
  /** Not asked again in this run, and the user is told why. */
  turnOff(what: Direction | 'everything', why: string): void
  /** Ends what is under way, and says nothing. */
  abandon(): void
}

export interface GuardOptions {
  /** As messages call it. */
  readonly name: string
  readonly limits: RemoteLimits
  readonly warn: (message: string) => void
  /** The run was cut short: nobody waits any longer, and nobody needs to be told. */
  readonly signal: AbortSignal
}

/** In a row, of one direction. */
const failuresAllowed = 3
const both: readonly Direction[] = ['reading', 'writing']
const atOnce: Readonly<Record<Direction, number>> = { reading: 32, writing: 16 }
/** A line slower than a megabyte a second is no help. */
const leastBytesPerMs = 1024 ** 2 / 1000

export function remoteGuard({ name, limits, warn, signal }: GuardOptions): RemoteGuard {
  const abandoned = new AbortController()
  const ended = AbortSignal.any([signal, abandoned.signal])
  // Each request listens.
  setMaxListeners(0, ended)
  const off = new Set<Direction>()
  const failures = { reading: 0, writing: 0 }
  const slots = { reading: createSlots(atOnce.reading), writing: createSlots(atOnce.writing) }

  const isOn = (direction: Direction): boolean => !off.has(direction) && !ended.aborted

  function turnOff(what: Direction | 'everything', why: string): void {
    const directions = (what === 'everything' ? both : [what]).filter(isOn)
    if (directions.length === 0) return
    for (const direction of directions) off.add(direction)
    const lost = directions.length > 1 ? 'used' : directions[0] === 'reading' ? 'read' : 'written to'
    warn(`the remote cache ${name} is not ${lost} for the rest of this run: ${why}`)
  }

  async function attempt<T>(direction: Direction, work: (signal: AbortSignal) => Promise<T>, sizeBytes: number): Promise<Answer<T>> {
    if (!isOn(direction)) return { ok: false, why: 'it is not used any more' }
    const limit = deadline(limits.timeoutMs + sizeBytes / leastBytesPerMs, ended)
    try {
      const value = await Promise.race([work(limit.signal), limit.passed])
      failures[direction] = 0
      return { ok: true, value }
    } catch (error) {
      if (ended.aborted) return { ok: false, why: 'the run has ended' }
      const why = limit.isOver() ? `it did not answer within ${limits.timeoutMs / 1000} s` : messageOf(error)
      if (limit.isOver()) turnOff('everything', why)
      else {
        // Who cannot be reached to write cannot be reached to read.
        const counted = isUnreached(error) ? 'reading' : direction
        failures[counted] += 1
        if (failures[counted] >= failuresAllowed) turnOff(counted === 'reading' ? 'everything' : counted, why)
      }
      return { ok: false, why }
    } finally {
      limit.clear()
    }
  }

  return {
    isOn,
    ask: (direction, work, sizeBytes = 0) => slots[direction](() => attempt(direction, work, sizeBytes)),
    turnOff,
    abandon: () => abandoned.abort(),
  }
}

/** There was no answer at all: the system, or TLS, said why. */
function isUnreached(error: unknown): boolean {
  return codeOf(error) !== undefined || (error instanceof Error && error.cause !== undefined && isUnreached(error.cause))
}

interface Deadline {
  readonly signal: AbortSignal
  /** Rejects when the time is over or the run has ended, whether or not who was asked obeys the signal. */
  readonly passed: Promise<never>
  isOver(): boolean
  clear(): void
}

function deadline(ms: number, ended: AbortSignal): Deadline {
  const controller = new AbortController()
  let reject: (reason: unknown) => void = () => {}
  const passed = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  passed.catch(() => {})
  let over = false
  const stop = (): void => {
    const reason = over ? new Error('it took too long') : new Error('the run has ended')
    controller.abort(reason)
    reject(reason)
  }
  const timer = setTimeout(() => {
    over = true
    stop()
  }, ms)
  ended.addEventListener('abort', stop, { once: true })
  if (ended.aborted) stop()
  return {
    signal: controller.signal,
    passed,
    isOver: () => over,
    clear() {
      clearTimeout(timer)
      ended.removeEventListener('abort', stop)
    },
  }
}
