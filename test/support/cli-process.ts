/** The real program in a process of its own, in a folder with a manifest. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { within } from './assertions.ts'
import { eventually } from './processes.ts'

const program = fileURLToPath(new URL('../../src/cli/bin.js', import.meta.url))

export interface CliProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** All it said so far, on both streams. */
  text(): string
  /** Resolves when it has said something. */
  says(pattern: RegExp): Promise<unknown>
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export function writeManifest(directory: string, tasks: object, more: object = {}): void {
  writeFileSync(join(directory, 'stagecraft.yml'), JSON.stringify({ project: { name: 'shop' }, tasks, ...more }))
}

export function startCli(directory: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: directory }
  const child = spawn(process.execPath, [program, ...argv], {
    ...{ cwd: directory, env: { ...inherited, ...env } },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<number | string>((resolve) => child.on('close', (code, signal) => resolve(code ?? signal ?? '')))
  return {
    child,
    pid: child.pid ?? 0,
    text: () => text,
    says: (pattern) => eventually(() => pattern.test(text)),
    ended: within(30_000, ended).catch((error: Error) => {
      child.kill('SIGKILL')
      throw new Error(`${error.message}; it said:\n${text}`)
    }),
  }
}
