/** Services that outlive the run that started them: what a watch keeps up from one run to the next. */
import type { Failure, Fingerprint, Task, TaskId } from '../../graph/types.ts'
import type { HeldService } from '../../tasks/kind.ts'
import type { RunEvent } from '../contracts.ts'

/** Why a service is started now: for the first time, since it changed, or since it had ended by itself. */
export type StartedFor = 'first' | 'change' | 'end'

interface Kept {
  readonly task: Task
  readonly fingerprint: Fingerprint
  readonly held: HeldService
  /** A run relies on it, and says so itself if it ends. */
  inUse: boolean
}

export interface KeptServicesOptions {
  /** Told when one ended by itself while no run relied on it. */
  readonly onEnd: (id: TaskId, failure: Failure) => void
}

export class KeptServices {
  readonly #running = new Map<TaskId, Kept>()
  readonly #wanted = new Set<TaskId>()
  readonly #onEnd: KeptServicesOptions['onEnd']
  #listener: (event: RunEvent) => void = () => undefined

  constructor({ onEnd }: KeptServicesOptions) {
    this.#onEnd = onEnd
  }

  /** What runs now, in the order it was started. */
  get running(): readonly TaskId[] {
    return [...this.#running.keys()]
  }

  /** What services print goes to the latest run, also when that has ended. */
  listen(listener: (event: RunEvent) => void): void {
    this.#listener = listener
  }

  tell(event: RunEvent): void {
    this.#listener(event)
  }

  /** It has been started before: then it is to run, even if nothing needs it in this very run. */
  isWanted(id: TaskId): boolean {
    return this.#wanted.has(id)
  }

  /**
   * The service as it runs, if it still is what is wanted; otherwise it is stopped, and started anew. For the run that asks, stopping it
   * means no more than to rely on it no longer.
   * @param start resolves when it is ready. @throws what `start` throws.
   */
  async hold(task: Task, fingerprint: Fingerprint, start: (why: StartedFor) => Promise<HeldService>): Promise<HeldService> {
    const { id } = task
    const known = this.#running.get(id)
    if (known?.fingerprint === fingerprint) return this.#lend(known)
    const why = known ? 'change' : this.#wanted.has(id) ? 'end' : 'first'
    this.#wanted.add(id)
    await this.stop(id)
    const kept: Kept = { task, fingerprint, held: await start(why), inUse: true }
    this.#running.set(id, kept)
    void kept.held.ended.then((failure) => {
      if (this.#running.get(id) !== kept) return
      this.#running.delete(id)
      if (failure !== undefined && !kept.inUse) this.#onEnd(id, failure)
    })
    return this.#lend(kept)
  }

  /** Stops what is no task any more. */
  async retain(ids: ReadonlySet<TaskId>): Promise<void> {
    for (const id of [...this.#wanted]) {
      if (ids.has(id)) continue
      this.#wanted.delete(id)
      await this.stop(id)
    }
  }

  /** Stops one, after those that were made from it. */
  async stop(id: TaskId): Promise<void> {
    const kept = this.#running.get(id)
    if (!kept) return
    for (const { task } of [...this.#running.values()].reverse()) if (task.needs.includes(id)) await this.stop(task.id)
    this.#running.delete(id)
    await kept.held.stop()
  }

  /** The last that was started goes first. */
  async stopAll(): Promise<void> {
    for (const id of [...this.#running.keys()].reverse()) await this.stop(id)
  }

  #lend(kept: Kept): HeldService {
    kept.inUse = true
    return {
      ended: kept.held.ended,
      stop: async () => {
        kept.inUse = false
      },
    }
  }
}
