import type { CommandTable } from './cli/command-table.ts'
import { type EventSource, listenForInterrupt } from './cli/interrupt.ts'
import { type App, type ExitCode, exitCodes } from './contracts.ts'

/** What `main` runs in: the process, or a test's stand-in for it. */
export interface Surroundings extends Omit<App, 'signal'> {
  readonly events: EventSource
  /** Called on the second signal only. */
  exit(code: ExitCode): void
  /** Default: every command there is. */
  readonly commands?: CommandTable
}

/**
 * From words to exit code. Never throws; never ends the process but on a second signal. Every invocation pays for what this file
 * imports, so the rest is loaded when it is needed.
 */
export async function main(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const say = (line: string) => void surroundings.stderr.write(`${line}\n`)
  const interrupt = listenForInterrupt(surroundings.events, say, () => surroundings.exit(exitCodes.interrupted))
  try {
    const code = await run(argv, surroundings, interrupt.signal)
    if (interrupt.strays.length > 0) throw interrupt.strays[0]
    return interrupt.signal.aborted && code !== exitCodes.done ? exitCodes.interrupted : code
  } catch (error) {
    const { report } = await import('./cli/report.ts')
    const { env, stderr } = surroundings
    return await report(error, { argv, env, stderr, ...interrupt })
  } finally {
    interrupt.dispose()
  }
}

async function run(argv: readonly string[], surroundings: Surroundings, signal: AbortSignal): Promise<ExitCode> {
  if (argv.length === 1 && argv[0] === '--version') {
    const { version } = await import('./cli/version.ts')
    surroundings.stdout.write(`stagecraft ${version()}\n`)
    return exitCodes.done
  }
  const commands = surroundings.commands ?? (await import('./commands/index.ts')).commands
  // Not spread: that would ask for a stream that nobody may read.
  const ours: Pick<App, 'signal' | 'commands'> = { signal, commands }
  const app = Object.defineProperties(ours, Object.getOwnPropertyDescriptors(surroundings)) as App
  if (argv[0] === '__complete') {
    const { complete } = await import('./cli/complete.ts')
    return complete(argv.slice(argv[1] === '--' ? 2 : 1), app, commands)
  }
  const { runCommandLine } = await import('./cli/program.ts')
  return runCommandLine(argv, app, commands)
}
