/**
 * The words every other folder speaks. `graph/` is pure: it imports nothing of ours, reads no clock,
 * no file and no environment. Names follow the Remote Execution API (REAPI) where it has one.
 */

type Brand<B extends string> = string & { readonly __brand: B }

/** Hex SHA-256 of bytes: a blob's name in the content store. */
export type Digest = Brand<'Digest'>
/** Digest of a canonical {@link Action}: a key in the action cache (REAPI: action digest). Never a blob's name. */
export type Fingerprint = Brand<'Fingerprint'>
/** `kind:subject[@host]`, stable across runs: `build:api`, `rollout:web@node-1`. */
export type TaskId = Brand<'TaskId'>

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** The six phases of a release, in order. A phase's status is computed from its tasks. */
export const phases = ['build', 'push', 'migrate_pre', 'rollout', 'migrate_post', 'finalize'] as const
export type Phase = (typeof phases)[number]

/** One operation, described but not performed: plain data that can be printed, compared and asserted on. */
export interface Task {
  readonly id: TaskId
  readonly kind: string
  /** Checked by the kind's schema. Printed in plans: never holds a secret's value. */
  readonly params: Json
  /** Their results enter this task's fingerprint. */
  readonly needs: readonly TaskId[]
  /** They only come first (Ninja's order-only dependencies). */
  readonly after: readonly TaskId[]
  /** The line of the user's file that asked for it. */
  readonly origin?: Location
}

/** Tasks that are acyclic by construction: `graph/task-graph.ts` makes one, or diagnostics that name the cycle. */
export interface TaskGraph {
  /** Topological, ties broken by id: independent of the order in which tasks were given. */
  readonly order: readonly TaskId[]
  /** @throws RangeError for an id that is not in the graph. */
  task(id: TaskId): Task
  /** `needs` and `after`, sorted. */
  dependencies(id: TaskId): readonly TaskId[]
  dependents(id: TaskId): readonly TaskId[]
  /** The ids and all they depend on. */
  only(ids: readonly TaskId[]): TaskGraph
}

/** Everything that can change what a task produces, each part reduced to something comparable. */
export interface Action {
  readonly kind: string
  /** The kind's version: raised when the meaning of `run` changes. */
  readonly version: number
  readonly params: Json
  /** Declared variables and tool versions, by name. */
  readonly env: Readonly<Record<string, string>>
  /** Keyed digests (HMAC) of secret values, by name: a rotation is noticed, the value is not revealed. */
  readonly secrets: Readonly<Record<string, string>>
  /** Project-relative path → state of the file (see {@link FileState}). */
  readonly files: Readonly<Record<string, FileState>>
  /** Digest of the part of each need's *result* that matters here: an identical rebuild stops here (early cutoff). */
  readonly needs: Readonly<Record<TaskId, Digest>>
}

/** `<sha256>` of a plain file, `<sha256>+x` of an executable one, `link:<target>` of a symbolic link. */
export type FileState = string

/** A file that a task made. */
export interface OutputFile {
  readonly digest: Digest
  readonly executable: boolean
  /** Permission bits as the task left them, for an exact restore. Not part of what dependents see: another umask is no other output. */
  readonly mode?: number
}

export interface ActionResult {
  /** Project-relative path → file. */
  readonly files: Readonly<Record<string, OutputFile>>
  /** Project-relative path of a symbolic link → its target as written. */
  readonly links?: Readonly<Record<string, string>>
  /** Project-relative paths of folders that are empty; all others follow from the files. Sorted. */
  readonly folders?: readonly string[]
  /** What the task printed, in the content store: replayed on request, never part of what dependents see. */
  readonly log?: Digest
  /** An image digest, a bundle hash, applied migrations. Never a secret, a time or a duration. */
  readonly values: JsonObject
}

/** Why a task could not be skipped: shown by `plan`, `explain` and every run. */
export interface Explanation {
  readonly reason:
    | 'forced'
    | 'first-run'
    | 'kind'
    | 'params'
    | 'env'
    | 'secret'
    | 'file'
    | 'need'
    | 'output'
    | 'drift'
    | 'absent'
    | 'always'
  /** A human sentence fragment, lower case, no full stop: `src/server.ts changed (+2 more)`. */
  readonly detail: string
}

/**
 * How a task was spared: what it makes was there already, was put back from a cache (`from` says which), or nobody needs it now.
 */
export type Skipped = 'present' | 'restored' | 'not-needed'

export type Outcome =
  | {
      readonly status: 'ran'
      readonly result: ActionResult
      readonly because: Explanation
      /** A service that is left running when its run ends: it is ready. */
      readonly keepsRunning?: true
    }
  | {
      readonly status: 'skipped'
      readonly result: ActionResult
      readonly from: 'target' | 'local' | 'remote'
      /** Default `present`. */
      readonly how?: Skipped
      /** Files that were put back, of what was `restored`. */
      readonly restoredFiles?: number
      readonly detail?: string
    }
  | { readonly status: 'failed'; readonly failure: Failure }
  | { readonly status: 'canceled'; readonly by: TaskId | 'signal' | 'stop' }

/** What the world said no to. A `bug` is ours. */
export type Failure = {
  readonly reason:
    | 'exit'
    | 'timeout'
    | 'unreachable'
    | 'refused'
    | 'unhealthy'
    | 'missing-output'
    | 'lock-held'
    | 'lock-lost'
    | 'interrupted'
    | 'bug'
  /** What was acted on: a host, a container, a command, a file. */
  readonly subject: string
  /** What was found and what was expected; one or more lines, redacted. */
  readonly message: string
  /** What to do next, when we know. */
  readonly remedy?: string
  /** The last lines of output that matter, redacted, oldest first. */
  readonly output?: readonly string[]
  /** Stack of a bug. */
  readonly stack?: string
}

/** A place in a text file; `line` and `column` count from 1, `length` in UTF-16 units, `text` is the whole line. */
export interface Location {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length: number
  readonly text: string
}

export interface Note {
  readonly message: string
  readonly location?: Location
}

/** Something wrong with what the user wrote. A value, collected: all are reported, not the first. */
export interface Diagnostic extends Note {
  readonly code: `SC${number}`
  readonly severity: 'error' | 'warning'
  readonly notes?: readonly Note[]
  /** Completes "did you mean …?" */
  readonly suggestion?: string
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly warnings?: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
