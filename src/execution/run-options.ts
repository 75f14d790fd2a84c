/** What a run is given: the world it acts in, and what was asked of it. */
import type { ActionResult, Fingerprint, Outcome, Task, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import type { Ports, Scope } from '../../tasks/ports.ts'
import type { Assessor } from '../assess.ts'
import type { RunEvent } from '../contracts.ts'
import type { KeptServices } from './kept-services.ts'
import type { RunJournal } from './run-journal.ts'
import type { TaskLocks } from './task-locks.ts'

/** The environment's lock, taken by the first task that writes to a host. */
export interface EnvironmentLock {
  readonly isHeld: boolean
  /** Takes it unless this run holds it already. @throws TaskFailure `lock-held`. */
  hold(): Promise<void>
  /** Asked once it is held: does a host look different from how this run saw it before? Default: it is not known to. */
  movedMeanwhile?(): Promise<boolean>
  /** @throws TaskFailure `lock-lost` when another run took over. */
  verify(): Promise<void>
}

export interface RunOptions extends Assessor {
  readonly kinds: ReadonlyMap<string, TaskKind>
  readonly ports: Ports
  readonly scope: Scope
  /** Widths of named pools; `default` is for those that are not named here. */
  readonly pools: Readonly<Record<string, number>>
  readonly force: (id: TaskId) => boolean
  /** Knows of tasks that need not be described to know what becomes of them. */
  readonly vouching?: {
    outcomeOf(task: Task, resultOf: (need: TaskId) => ActionResult | undefined): Outcome | undefined
  }
  readonly lock: EnvironmentLock
  /** Keeps other runs of this checkout from running the same task at the same time. Default: there are none. */
  readonly taskLocks?: TaskLocks
  /** What was asked for by name: a service among them runs until the run is interrupted. Default: what nothing depends on. */
  readonly targets?: ReadonlySet<TaskId>
  /** Keeps services up when the run ends, for the next one. Default: they are stopped with the last that uses them. */
  readonly services?: KeptServices
  readonly redact: (text: string) => string
  /** Asked before each task that is to start; false ends the run before it did anything. */
  readonly mayStart: () => Promise<boolean>
  /** After a failure: start nothing new, or go on with what does not depend on it. */
  readonly onFailure: 'stop' | 'continue'
  /** Whether a task goes on although one that it comes after did not end well; default no. */
  readonly goesOnAfter?: (task: TaskId, failed: TaskId) => boolean
  /** Told of every effect on a host, before and after. */
  readonly journal?: RunJournal
  /** Asked before each task that is to start. @throws TaskFailure when it may not: it is not what was planned. */
  readonly planned?: (task: Task, kind: TaskKind, fingerprint: Fingerprint) => void
  readonly signal: AbortSignal
  readonly on: (event: RunEvent) => void
  /** Told what a person should know now, whatever view there is: that we wait for another run, that a service keeps running. */
  readonly notice?: (line: string) => void
  /** Pass on remarks of tasks too. */
  readonly verbose?: boolean
  readonly now: () => number
}
