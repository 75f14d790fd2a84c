/** The shell's own contracts: what `config/` yields (`deployment.ts`), what the executor tells, what a command is. */
import type { z } from 'zod'
import type { Diagnostic, Explanation, Outcome, Skipped, Task, TaskId } from '../graph/types.ts'

export type * from './deployment.ts'

// --- running --------------------------------------------------------------------------------------------------------

export type RunEvent = { readonly task: Task; readonly at: number } & (
  | { readonly type: 'started'; readonly because: Explanation }
  /** `replayed`: printed when the task ran before, and shown again. */
  | { readonly type: 'output'; readonly line: string; readonly replayed?: true }
  | { readonly type: 'finished'; readonly outcome: Outcome }
)

/** Asking twice runs once: listr2 and a plain loop drive the same Run. */
export interface Run {
  /** True when the task starts to run, false when it was skipped or canceled: settles before `outcome`. */
  starts(id: TaskId): Promise<boolean>
  outcome(id: TaskId): Promise<Outcome>
}

/** What a plan says of a task, nothing having been touched. */
export type Prediction =
  | { readonly state: 'fresh'; readonly detail: string; readonly how?: Exclude<Skipped, 'restored'> }
  /** `restoredFrom`: it need not run after all, its outputs are put back from there. */
  | { readonly state: 'run'; readonly because: Explanation; readonly restoredFrom?: 'local' | 'remote' }
  /** A need's result is not known yet; it runs unless that result turns out the same. */
  | { readonly state: 'may-run'; readonly waitsFor: TaskId }
  | { readonly state: 'unknown'; readonly message: string }

// --- commands -------------------------------------------------------------------------------------------------------

/** What a command gets instead of globals. */
export interface App {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  /** The result, and nothing else. */
  readonly stdout: NodeJS.WriteStream
  /** Progress, logs, prompts, errors. */
  readonly stderr: NodeJS.WriteStream
  readonly signal: AbortSignal
  /** All commands of this program, by name: for the one that compares them with their pages. */
  readonly commands?: Readonly<Record<string, { load(): Promise<CommandModule> }>>
  now(): Date
}

/** Options every command has (CLI_GLOBAL_FLAGS): flag, then environment variable, then default. */
export interface GlobalOptions {
  readonly config: string
  readonly env?: string
  readonly verbose: boolean
  readonly quiet: boolean
  readonly dryRun: boolean
  readonly color?: boolean
}

/** One object gives the flags, the help and the type. Positional arguments are the members of `arguments`, in order. */
export interface CommandModule<A extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  readonly summary: string
  /** Id in spec/features.yaml. */
  readonly feature: string
  readonly arguments?: A
  readonly options: O
  /** Shown at the end of `--help`; each is a real command line. */
  readonly examples?: readonly string[]
  /** Words that may stand for a positional argument, for shell completion. May throw: then nothing is offered. */
  complete?(globals: Pick<GlobalOptions, 'config' | 'env'>, app: App): Promise<readonly string[]>
  run(input: z.infer<A> & z.infer<O>, globals: GlobalOptions, app: App): Promise<ExitCode>
}

/** Ruling 3. */
export const exitCodes = { done: 0, input: 1, world: 2, bug: 3, partial: 10, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes] | ProgramCode

/** The exit code of a program that ran for the user, 0 to 255: what `exec` and `ssh` end with. */
export type ProgramCode = number & { readonly ofProgram: true }

export function programCode(code: number): ProgramCode {
  return code as ProgramCode
}

/** The user's input is wrong: carries every problem found. Turned into text and exit 1 in one place. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly diagnostics: readonly Diagnostic[]
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((diagnostic) => diagnostic.message).join('\n'))
    this.diagnostics = diagnostics
  }
}
