/** What runs once before others, in a run in which one of those runs: started by the first that is to, and all that are to wait for it. */
import type { Outcome, TaskId } from '../../graph/types.ts'
import { deferred } from './deferred.ts'

export class Forerunner {
  readonly #id: TaskId
  readonly #run: (because: string) => Promise<Outcome>
  readonly #begun = deferred<void>()
  #outcome: Promise<Outcome> | undefined

  /** @param run never rejects: an outcome says how it ended. */
  constructor(id: TaskId, run: (because: string) => Promise<Outcome>) {
    this.#id = id
    this.#run = run
  }

  /** Resolves when it has run. @returns what becomes of a task that comes after it, when it did not end well. */
  async require(because: string): Promise<Outcome | undefined> {
    this.#outcome ??= this.#run(because)
    this.#begun.settle()
    const outcome = await this.#outcome
    if (outcome.status === 'ran') return undefined
    return outcome.status === 'failed' ? { status: 'canceled', by: this.#id } : outcome
  }

  /** How it ended, once it has. @returns undefined when all its users have ended and none required it. */
  async over(users: Promise<unknown>): Promise<Outcome | undefined> {
    await Promise.race([this.#begun.promise, users])
    return this.#outcome
  }
}
