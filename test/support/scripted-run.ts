import type { ActionResult, Explanation, Failure, Outcome, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run, RunEvent } from '../../src/contracts.ts'

interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

export const nothing: ActionResult = { files: {}, values: {} }

/** Independent tasks, in this order: all that a view needs of a graph. */
export function graphOf(...ids: readonly string[]): TaskGraph {
  const tasks = new Map(ids.map((id) => [id as TaskId, taskOf(id)]))
  return {
    order: [...tasks.keys()],
    task: (id) => {
      const task = tasks.get(id)
      if (task === undefined) throw new RangeError(`no task ${id}`)
      return task
    },
    dependencies: () => [],
    dependents: () => [],
    only: (wanted) => graphOf(...wanted),
  }
}

export function taskOf(id: string): Task {
  return { id: id as TaskId, kind: id.split(':')[0] ?? '', params: {}, needs: [], after: [] }
}

/** A run in which the test decides when each task starts, speaks and ends. */
export class ScriptedRun implements Run {
  /** Milliseconds that stamp events; the test moves it. */
  now = 0
  readonly outcomes = new Map<TaskId, Outcome>()
  readonly #on: (event: RunEvent) => void
  readonly #starts = new Map<string, Deferred<boolean>>()
  readonly #ends = new Map<string, Deferred<Outcome>>()

  constructor(on: (event: RunEvent) => void) {
    this.#on = on
  }

  starts(id: TaskId): Promise<boolean> {
    return this.#of(this.#starts, id).promise
  }

  outcome(id: TaskId): Promise<Outcome> {
    return this.#of(this.#ends, id).promise
  }

  start(id: string, detail = 'never built', reason: Explanation['reason'] = 'first-run'): void {
    this.#on({ type: 'started', task: taskOf(id), at: this.now, because: { reason, detail } })
    this.#of(this.#starts, id).resolve(true)
  }

  say(id: string, line: string): void {
    this.#on({ type: 'output', task: taskOf(id), at: this.now, line })
  }

  succeed(id: string): void {
    this.end(id, { status: 'ran', result: nothing, because: { reason: 'first-run', detail: 'never built' } })
  }

  fail(id: string, failure: Partial<Failure> = {}): void {
    this.end(id, { status: 'failed', failure: { reason: 'exit', subject: 'docker build', message: 'exited with code 1', ...failure } })
  }

  skip(id: string): void {
    this.end(id, { status: 'skipped', result: nothing, from: 'local' })
  }

  cancel(id: string, by: string): void {
    this.end(id, { status: 'canceled', by: by as TaskId })
  }

  end(id: string, outcome: Outcome): void {
    this.outcomes.set(id as TaskId, outcome)
    this.#of(this.#starts, id).resolve(false)
    this.#on({ type: 'finished', task: taskOf(id), at: this.now, outcome })
    this.#of(this.#ends, id).resolve(outcome)
  }

  #of<T>(all: Map<string, Deferred<T>>, id: string): Deferred<T> {
    const found = all.get(id) ?? deferred<T>()
    all.set(id, found)
    return found
  }
}
