import type { App, GlobalOptions } from '../../src/contracts.ts'

export interface TestApp {
  readonly app: App
  /** What was written to stdout so far. */
  stdout(): string
}

/** A command's world without a terminal. */
export function testApp(
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = {},
  now = new Date('2026-01-09T00:00:00.000Z'),
): TestApp {
  let text = ''
  const write = (chunk: string): boolean => {
    text += chunk
    return true
  }
  const stdout = { write } as unknown as NodeJS.WriteStream
  const app: App = { cwd, env, stdin: process.stdin, stdout, stderr: process.stderr, signal: new AbortController().signal, now: () => now }
  return { app, stdout: () => text }
}

export const globals: GlobalOptions = { config: 'stagecraft.yml', verbose: false, quiet: false, dryRun: false }
