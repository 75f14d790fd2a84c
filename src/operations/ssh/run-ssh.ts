/** Runs the system's `ssh`, with our streams or with a prefix on every line. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { TaskFailure } from '../../../tasks/kind.ts'
import { type App, exitCodes } from '../../contracts.ts'

/** What ssh itself ends with when it could not connect, or lost the connection. */
const sshFailed = 255

/** With our own streams. @returns the exit code; 2 for ssh's own failure, of which it has told on stderr. @throws TaskFailure without ssh. */
export async function inheritSsh(argv: readonly [string, ...string[]], app: Pick<App, 'env' | 'signal'>): Promise<number> {
  const [file, ...words] = argv
  const child = spawn(file, words, { stdio: 'inherit', env: app.env as NodeJS.ProcessEnv })
  return ended(child, app.signal)
}

/** Its lines with a prefix; reads nothing. */
export async function prefixedSsh(
  argv: readonly [string, ...string[]],
  prefix: string,
  app: Pick<App, 'env' | 'signal' | 'stdout' | 'stderr'>,
): Promise<number> {
  const [file, ...words] = argv
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], env: app.env as NodeJS.ProcessEnv })
  createInterface({ input: child.stdout }).on('line', (line) => app.stdout.write(`${prefix}${line}\n`))
  createInterface({ input: child.stderr }).on('line', (line) => app.stderr.write(`${prefix}${line}\n`))
  return ended(child, app.signal)
}

function ended(child: ReturnType<typeof spawn>, signal: AbortSignal): Promise<number> {
  const stop = () => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  return new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT'
      const message = missing ? 'there is no `ssh` on this machine' : `cannot run ssh: ${error.message}`
      const remedy = 'install the OpenSSH client; `stagecraft ssh --print` shows what it would be asked'
      reject(new TaskFailure({ reason: 'refused', subject: 'ssh', message, remedy }, { cause: error }))
    })
    child.once('close', (code) => resolve(code === null || code === sshFailed ? exitCodes.world : code))
  }).finally(() => signal.removeEventListener('abort', stop))
}
