import { TaskFailure } from '../../tasks/kind.ts'
import { type App, type ExitCode, exitCodes, InputError } from '../contracts.ts'
import { renderFailure } from '../ui/failure.ts'
import { createPaint } from '../ui/paint.ts'
import { decideColor } from '../ui/terminal.ts'
import { colorFlag } from './color-flag.ts'
import type { Interrupt } from './interrupt.ts'
import { version } from './version.ts'

export interface Scene extends Pick<App, 'env' | 'stderr'>, Pick<Interrupt, 'signal' | 'strays'> {
  readonly argv: readonly string[]
}

/** Turns what a command threw into text on stderr and an exit code: the only place that does. */
export async function report(error: unknown, scene: Scene): Promise<ExitCode> {
  if (scene.strays.length > 0) {
    for (const stray of new Set([...scene.strays, ...(isOfAbort(error, scene.signal) ? [] : [error])])) writeBug(stray, scene)
    return exitCodes.bug
  }
  if (scene.signal.aborted && isOfAbort(error, scene.signal)) return exitCodes.interrupted
  const code = await explain(error, scene)
  return scene.signal.aborted && code !== exitCodes.bug ? exitCodes.interrupted : code
}

async function explain(error: unknown, scene: Scene): Promise<ExitCode> {
  const color = decideColor(colorFlag(scene.argv), scene.env, scene.stderr)
  if (error instanceof InputError) {
    const { renderDiagnostics } = await import('../ui/diagnostics.ts')
    scene.stderr.write(ended(renderDiagnostics(error.diagnostics, { color })))
    return exitCodes.input
  }
  if (error instanceof TaskFailure && error.failure.reason !== 'bug') {
    scene.stderr.write(ended(renderFailure(error.failure, createPaint(color))))
    return error.failure.reason === 'interrupted' ? exitCodes.interrupted : exitCodes.world
  }
  writeBug(error, scene)
  return exitCodes.bug
}

function writeBug(error: unknown, scene: Scene): void {
  const machine = `node ${process.versions.node}, ${process.platform}-${process.arch}`
  scene.stderr.write(ended(`This is a bug in stagecraft ${version()} (${machine}). Please report it with these lines:\n${stackOf(error)}`))
}

/** The stack with every cause: what first went wrong is usually the last of them. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = (error instanceof TaskFailure ? error.failure.stack : undefined) ?? error.stack ?? error.message
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`
}

/** True for the errors that only say that the signal was heard. */
function isOfAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
