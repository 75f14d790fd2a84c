import { exitCodes } from '../contracts.ts'
import { main } from '../main.ts'
import type { CommandTable } from './command-table.ts'

/** Runs `main` in this process: its words, its streams, its signals, its exit code. */
export async function runProcess(commands?: CommandTable): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    // `stagecraft graph | head` closes the pipe early, a hang-up takes the terminal away: neither may stop a rollout half-way.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
  // What it is should Node find nothing left to wait for while something is still awaited.
  process.exitCode = exitCodes.bug
  process.exitCode = await main(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    // Node makes a stream of it when it is asked for, which few commands do.
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    now: () => new Date(),
    events: process,
    exit: (code) => process.exit(code),
    ...(commands === undefined ? {} : { commands }),
  })
}
