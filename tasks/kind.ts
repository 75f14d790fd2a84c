/**
 * The contract of a task kind: the only code that acts, and only through the ports in `ports.ts`.
 * `tasks/` imports `graph/` and nothing else of ours.
 */
import type { z } from 'zod'
import type { ActionResult, Explanation, Failure, Fingerprint, Json, Phase, TaskId } from '../graph/types.ts'
import type { HostPicture, Ports, Scope } from './ports.ts'

/**
 * How a task may be skipped; the three ways are never mixed (ruling 2).
 * - `content`: on its fingerprint alone; its result can be restored from a cache.
 * - `verified`: a content task whose artifact lives elsewhere; skipped when a cheap probe finds the artifact there.
 * - `effect`: only when its target, looked at now, already is as wanted. No cache vouches for it.
 */
export type Freshness = 'content' | 'verified' | 'effect'

/** A set of files that enters the fingerprint. `root` and results are project-relative, `/`-separated. */
export interface FileSet {
  readonly root: string
  /** Globs below `root`; default everything. */
  readonly include?: readonly string[]
  /** Leave out what this ignore file (Docker syntax, project-relative) names. It need not exist. */
  readonly dockerignore?: string
  /** Project-relative files and folders that never count, whatever the ignore file says. */
  readonly except?: readonly string[]
  /** Project-relative files that must exist and always count, ignored or not (a Dockerfile outside the context). */
  readonly always?: readonly string[]
}

export interface Inputs {
  readonly files?: readonly FileSet[]
  /** Names of declared plain variables. */
  readonly env?: readonly string[]
  /** Variables of the environment Stagecraft was started in, by name or glob (`API_*`): every one that is set enters. */
  readonly environment?: readonly string[]
  /** Commands whose output enters: which versions of what tools are here. */
  readonly tools?: readonly (readonly string[])[]
  /** Variables that the task itself sets, `PATH` perhaps: they may decide which tool it is. */
  readonly toolVariables?: Readonly<Record<string, string>>
  /** Operating system and processor enter. */
  readonly platform?: boolean
  /** Names of secrets, entered as keyed digests. */
  readonly secrets?: readonly string[]
}

/** What looking at the target found. */
export type Look =
  | { readonly fresh: true; readonly result: ActionResult; readonly detail?: string }
  | { readonly fresh: false; readonly because: Explanation }

/** How a task stands around others: it runs only in a run in which one of those does. */
export interface Around {
  /** It comes after these, one of which must have run. Undefined: it comes before its dependents, and the first that is to run starts it. */
  readonly after?: readonly TaskId[]
  /** Takes the environment's lock before it runs. */
  readonly exclusive: boolean
}

/** Something that runs until it is told to stop. */
export interface HeldService {
  /** Ends it and all it started; resolves when it is gone. */
  stop(): Promise<void>
  /** Settles with why it ended without being asked, or undefined when it was. */
  readonly ended: Promise<Failure | undefined>
}

/** What became of outputs that were to be put back. */
export type Restored =
  /** They were on disk, exactly. */
  | { readonly state: 'intact' }
  | { readonly state: 'restored'; readonly files: number }
  /** They cannot be had, and what was there is as it was: the task must run. `detail` completes "its outputs …". */
  | { readonly state: 'impossible'; readonly detail: string }

export interface TaskContext {
  readonly id: TaskId
  readonly fingerprint: Fingerprint
  readonly scope: Scope
  readonly signal: AbortSignal
  readonly needs: ReadonlyMap<TaskId, ActionResult>
  readonly ports: Ports
  /**
   * For a service: what keeps running after `run` has returned. The executor stops it when the last task that depends on it has ended, or the
   * run is cut short; when it ends by itself before that, the run fails.
   */
  hold(service: HeldService): void
  /** What took the processor is over, and what follows is bookkeeping: its slot may go to another task. Call it when nothing can fail but that. */
  leaveSlot?(): void
  /** One line of output, shown live and kept for a failure's last lines. Redacted by the executor. */
  log(line: string): void
  /** One line for whoever asked to be told more (`--verbose`). */
  remark?(line: string): void
  /** Resolves while this run holds the environment's lock; throws a `lock-lost` failure otherwise. Call before each write to a host. */
  guard(): Promise<void>
}

export interface TaskKind<P extends Json = Json> {
  /** One short word, the same in code, YAML, ids and docs. */
  readonly name: string
  /** Raise it when `run` changes meaning: it enters every fingerprint of this kind. */
  readonly version: number
  /** One line for `stagecraft graph --kinds` and the reference. */
  readonly summary: string
  readonly freshness: Freshness
  /** The phase of a release it belongs to; none for what is not part of one. */
  readonly phase?: Phase
  /** The phase, where that depends on the task. */
  phaseOf?(params: P): Phase | undefined
  /** A pool with its own width: `docker` (builds), `registry`, `host`, `database`. Default: the run's. */
  readonly pool?: string
  /** Takes the environment's lock before it runs. */
  readonly exclusive?: boolean
  /** What it looks at is what the tasks it comes after leave: while one of those is still to run, nobody knows what it will see. */
  readonly looksAfterOthers?: boolean
  /** `run` computes and writes nothing outside its result, so a plan may run it to see further. */
  readonly pure?: boolean
  readonly params: z.ZodType<P>
  /** What a person reads while it runs: `build api`. */
  title(params: P): string
  inputs?(params: P): Inputs
  /** The part of the parameters that enters the fingerprint; default all of them. A longer time limit makes no other result. */
  identity?(params: P): Json
  /** Why a task of these parameters can never be skipped, if that is so: completes "it always runs: …". */
  always?(params: P, needs: ReadonlyMap<TaskId, ActionResult>): string | undefined
  /** A pool of the user's, on top of `pool`: it takes a slot of both. */
  poolOf?(params: P): string | undefined
  /** True for what keeps running (see {@link TaskContext.hold}): it is only started when a task that depends on it must run. */
  isService?(params: P): boolean
  /** Of what stands around other tasks: nothing else decides whether it runs. */
  around?(params: P): Around | undefined
  /** Of a service: what those that need it see. Known before it starts, for whether it starts depends on them. */
  promise?(params: P, context: Pick<TaskContext, 'fingerprint' | 'needs'>): ActionResult
  /** Patterns of what it leaves in the project folder, project-relative; `!` takes away. */
  writes?(params: P): readonly string[]
  /** It writes into the project folder, so two runs in one checkout never run the same task at the same time. */
  oneAtATime?: boolean
  /** Content kinds that leave files in the project: are they exactly these? Looks only. */
  isIntact?(params: P, context: TaskContext, result: ActionResult): Promise<boolean>
  /** Makes the files in the project exactly those of a result, or leaves them all as they are. */
  restore?(params: P, context: TaskContext, result: ActionResult): Promise<Restored>
  /** The part of a need's result that matters to this task; default the whole result. */
  select?(params: P, need: TaskId, result: ActionResult): Json
  /** Looks at the target without changing it. `verified` and `effect` kinds have it; `cached` is the action cache's word, if any. */
  observe?(params: P, context: TaskContext, cached: ActionResult | undefined): Promise<Look>
  /** Does the work. @throws TaskFailure when the world says no. */
  run(params: P, context: TaskContext): Promise<ActionResult>
  /**
   * Takes back what `run` did in this very run, as its result tells; called when others failed, the last first, under the same lock.
   * @throws TaskFailure when it could not: then all is as `run` left it.
   */
  undo?(params: P, context: TaskContext, result: ActionResult): Promise<void>
  /**
   * Brings what the task is about back to how it was before a run that is over began, whatever happened since; called as `undo` is, when that
   * run left something behind. What is so already is left alone. Of `context.needs`, none is there.
   * @returns whether anything had to be done. @throws TaskFailure when it could not: then all is as it was found.
   */
  putBack?(params: P, context: TaskContext, before: HostPicture): Promise<boolean>
  /** Its `run` throws away what an `undo` would need: once it has begun, nothing is taken back. */
  readonly commits?: boolean
}

/** Keeps a kind's parameter type while it is written, and forgets it in the registry. */
export function defineTask<P extends Json>(kind: TaskKind<P>): TaskKind {
  return kind as unknown as TaskKind
}

/** The world said no. Thrown inside one `run` or port; a value (`Outcome`) everywhere else. */
export class TaskFailure extends Error {
  override readonly name = 'TaskFailure'
  readonly failure: Failure
  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options)
    this.failure = failure
  }
}
