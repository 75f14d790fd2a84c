/** Programs of this machine, and whether something answers. */

export interface ProgramRequest {
  readonly argv: readonly [string, ...string[]]
  /** Absolute. */
  readonly cwd: string
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** How a program ended. */
export interface ProgramEnd {
  /** Of one that a signal ended 128 + its number, as in a shell. */
  readonly code: number
  /** The signal that ended it: `SIGKILL`. */
  readonly signal?: string
}

/** A program that was started and not waited for. */
export interface RunningProgram {
  readonly pid: number
  /** Settles when it has ended by itself or was ended, and nothing of it is left; never rejects. */
  readonly ended: Promise<ProgramEnd>
  /** SIGTERM to its whole tree, grace, SIGKILL; resolves when nothing of it is left. */
  stop(): Promise<void>
}

/** Programs of this machine, each the leader of a process group: whatever ends a program ends all it started. */
export interface Programs {
  /** Runs to the end; a code other than 0 is a value. @throws TaskFailure when it was cut off, timed out or could not be started. */
  run(request: ProgramRequest, onLine: (line: string) => void, signal: AbortSignal): Promise<ProgramEnd>
  /** It runs until it is stopped; a time limit does not count. @throws TaskFailure when it could not be started. */
  start(request: ProgramRequest, onLine: (line: string) => void): Promise<RunningProgram>
}

/** One look at whether something answers: undefined when it does, else what was found, in words. Never rejects. */
export interface Probes {
  /** A GET that is answered with a status below 400. Redirections are not followed. */
  http(url: string, signal: AbortSignal): Promise<string | undefined>
  /** `host:port` accepts a connection. */
  tcp(address: string, signal: AbortSignal): Promise<string | undefined>
}
