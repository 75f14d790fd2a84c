/** The process around `main`: the one file that touches `process`. */
import * as nodeModule from 'node:module'
import { main } from '../main.ts'

// Node 22.1 and later keep compiled code between runs; Node 20 does not know the function.
;(nodeModule as { enableCompileCache?: () => unknown }).enableCompileCache?.()

for (const stream of [process.stdout, process.stderr]) {
  // `stagecraft graph | head` closes the pipe early, a hang-up takes the terminal away: neither may stop a rollout half-way.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

process.exitCode = await main(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  events: process,
  exit: (code) => process.exit(code),
})
