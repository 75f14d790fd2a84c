/** A service within one run: started by the first task that really needs it, stopped when none is left that could. */
import type { ActionResult, Explanation, Failure, Outcome, TaskId } from '../../graph/types.ts'
import type { HeldService } from '../../tasks/kind.ts'
import { deferred } from './deferred.ts'

/** How it went, once nobody can need it any more. */
export type ServiceEnd =
  | { readonly state: 'not-needed' | 'stopped' }
  /** It did not get ready, or was not to be started. */
  | { readonly state: 'not-had'; readonly outcome: Outcome }
  /** It ended without being asked. */
  | { readonly state: 'died'; readonly failure: Failure }

/** Of a service that nothing asked for: a plan says the same. */
export const notNeeded = 'not needed: what depends on it is up to date'

/** Of one that outlives its run. @param startedFor why this run started it; undefined when it ran already. */
export function keptOutcome(result: ActionResult, startedFor: Explanation | undefined): Outcome {
  if (startedFor === undefined) return { status: 'skipped', result, from: 'local', how: 'present', detail: 'still running' }
  return { status: 'ran', result, because: startedFor, keepsRunning: true }
}

export class Service {
  /** Why this run started it; undefined while it has not. */
  startedFor: Explanation | undefined
  readonly #id: TaskId
  readonly #start: (because: string) => Promise<HeldService | Outcome>
  readonly #lost = new AbortController()
  readonly #died = deferred<Failure>()
  #starting: Promise<HeldService | Outcome> | undefined
  #isClosing = false

  /** @param start resolves when it is ready, and never rejects: an outcome says why it could not be had. */
  constructor(id: TaskId, start: (because: string) => Promise<HeldService | Outcome>) {
    this.#id = id
    this.#start = start
  }

  /** Aborts when it ended without being asked: those that use it cannot succeed any more. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Resolves when it is ready. @returns what becomes of a task that depends on it, when it cannot be had. */
  async require(because: string): Promise<Outcome | undefined> {
    this.#starting ??= this.#start(because).then((held) => {
      if (!('status' in held)) void this.#watch(held)
      return held
    })
    const held = await this.#starting
    if (this.lost.aborted || ('status' in held && held.status === 'failed')) return { status: 'canceled', by: this.#id }
    return 'status' in held ? held : undefined
  }

  /**
   * Resolves when it is over: stopped once `unused` has resolved, or died before.
   * @param users resolves when all tasks that depend on it have ended.
   */
  async over(unused: Promise<unknown>, users: Promise<unknown>): Promise<ServiceEnd> {
    const failure = await Promise.race([this.#died.promise, unused.then(() => undefined)])
    this.#isClosing = true
    if (failure !== undefined) {
      await users
      return { state: 'died', failure }
    }
    if (this.#starting === undefined) return { state: 'not-needed' }
    const held = await this.#starting
    if ('status' in held) return { state: 'not-had', outcome: held }
    await held.stop()
    return { state: 'stopped' }
  }

  async #watch(held: HeldService): Promise<void> {
    const failure = await held.ended
    if (failure === undefined || this.#isClosing) return
    this.#died.settle(failure)
    this.#lost.abort()
  }
}
