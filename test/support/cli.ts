import { EventEmitter } from 'node:events'
import type { CommandTable } from '../../src/cli/command-table.ts'
import type { ExitCode } from '../../src/contracts.ts'
import { main } from '../../src/main.ts'
import { CapturedStream } from './captured-stream.ts'

export interface CommandLineOptions {
  readonly commands?: CommandTable
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Emit `SIGINT` or `uncaughtException` here. */
  readonly events?: EventEmitter
  readonly now?: () => Date
  /** Notes what a second signal asked for. */
  exit?(code: ExitCode): void
}

export interface CommandLineResult {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** The whole program in this process, with no environment but the given one. */
export async function stagecraft(argv: readonly string[], options: CommandLineOptions = {}): Promise<CommandLineResult> {
  const [stdout, stderr] = [new CapturedStream(), new CapturedStream()]
  const code = await main(argv, {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    stdin: process.stdin,
    stdout: stdout.asTerminal(),
    stderr: stderr.asTerminal(),
    now: options.now ?? (() => new Date(0)),
    events: options.events ?? new EventEmitter(),
    exit: options.exit ?? (() => undefined),
    ...(options.commands === undefined ? {} : { commands: options.commands }),
  })
  return { code, stdout: stdout.text, stderr: stderr.text }
}
