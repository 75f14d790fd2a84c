/**
 * CORE_EXECUTIL: runs a program of this machine. Argument arrays only, never a shell.
 *
 * Three ways of not getting an `Exit`, each its own `TaskFailure`: it was cancelled (`interrupted`), it took too long (`timeout`),
 * it could not be started (`refused`). A program that ran and ended with a code other than zero is a value.
 */
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Command, Exit } from '../../tasks/ports.ts'
import { OutputLines } from './output-lines.ts'
import { adoptGroup, endGroup } from './process-group.ts'

export interface ProcessOptions {
  readonly signal?: AbortSignal
  /** Whole lines, as they come, without their ending. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** Applied to everything that leaves: lines, the kept output, failures. */
  readonly redact?: (text: string) => string
  /** Time between SIGTERM and SIGKILL. */
  readonly forceKillAfterMs?: number
}

/** `runProcess`, for those who take it as an option and get a fake in tests. */
export type RunProcess = (command: Command, options?: ProcessOptions) => Promise<Exit>

const keptLength = 8 * 1024 * 1024
const failureLines = 20
/** How long the pipes may stay open after the group is gone: a process that left the group can hold them for ever. */
const drainMs = 500

/**
 * Runs a program in a process group of its own, so that cancelling ends its grandchildren too: SIGTERM, grace, SIGKILL.
 * Of the output the last 8 Mi characters are kept, in whole lines. Killed by a signal counts as exit code 128 + n, as in a shell.
 * @throws TaskFailure when it was cancelled, timed out or could not be started.
 */
export async function runProcess(command: Command, options: ProcessOptions = {}): Promise<Exit> {
  const { signal, onLine, redact = (text) => text, forceKillAfterMs = 5000 } = options
  const { execa } = await import('execa')
  if (signal?.aborted) throw stopped('interrupted', command, [])

  const [program, ...args] = command.argv
  const child = execa(program, args, {
    ...{ detached: true, cleanup: false, buffer: false, reject: false, encoding: 'buffer' },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.env === undefined ? {} : { env: command.env }),
    ...(command.stdin === undefined ? { stdin: 'ignore' } : { input: command.stdin }),
  } as const)

  const recent: string[] = []
  const collect = (stream: 'stdout' | 'stderr') => {
    const lines = new OutputLines(keptLength, (line) => {
      const shown = redact(line)
      recent.push(shown)
      if (recent.length > failureLines) recent.shift()
      onLine?.(shown, stream)
    })
    child[stream].on('data', (chunk: Buffer) => lines.write(chunk))
    return lines
  }
  const [stdout, stderr] = [collect('stdout'), collect('stderr')]

  const { pid } = child
  const disown = pid === undefined ? () => {} : adoptGroup(pid)
  let why: 'interrupted' | 'timeout' | undefined
  let ending: Promise<void> | undefined
  const stop = (reason: 'interrupted' | 'timeout') => {
    if (pid === undefined || why !== undefined) return
    why = reason
    ending = endGroup(pid, forceKillAfterMs)
      .then(() => Promise.race([child, delay(drainMs, undefined, { ref: false })]))
      .then(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      })
  }
  const onAbort = () => stop('interrupted')
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = command.timeoutMs === undefined ? undefined : setTimeout(stop, command.timeoutMs, 'timeout')

  try {
    const result = await child
    await ending
    stdout.end()
    stderr.end()
    if (why !== undefined) throw stopped(why, command, recent)
    const code = result.exitCode ?? (result.signal === undefined ? undefined : 128 + constants.signals[result.signal])
    if (code === undefined) throw notStarted(command, result.cause)
    return { code, stdout: redact(stdout.text()), stderr: redact(stderr.text()) }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    disown()
  }
}

function stopped(reason: 'interrupted' | 'timeout', command: Command, output: readonly string[]): TaskFailure {
  const [program] = command.argv
  const message =
    reason === 'timeout' ? `\`${program}\` did not end within ${(command.timeoutMs ?? 0) / 1000} s` : `\`${program}\` was interrupted`
  return new TaskFailure({ reason, subject: program, message, ...(output.length > 0 ? { output: [...output] } : {}) })
}

function notStarted({ argv: [program], cwd }: Command, cause: unknown): TaskFailure {
  const { code, message } = cause as NodeJS.ErrnoException
  const failure = (subject: string, text: string, remedy: string): Failure => ({ reason: 'refused', subject, message: text, remedy })
  // The system says ENOENT for a missing folder too, and means the program.
  if (cwd !== undefined && !existsSync(cwd)) {
    return new TaskFailure(failure(cwd, `\`${program}\` was to run in ${cwd}, which does not exist`, `create ${cwd}`), { cause })
  }
  const [text, remedy] =
    code === 'ENOENT'
      ? [`\`${program}\` was not found`, `install \`${program}\`, or add its folder to PATH`]
      : code === 'EACCES'
        ? [`\`${program}\` may not be executed`, `make it executable: chmod +x ${program}`]
        : code === 'E2BIG'
          ? [`\`${program}\` was given more arguments and variables than the system takes`, 'pass large values by file']
          : [`\`${program}\` could not be started: ${message}`, `try to run \`${program}\` by hand`]
  return new TaskFailure(failure(program, text, remedy), { cause })
}
