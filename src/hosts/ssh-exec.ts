import { constants } from 'node:os'
import { StringDecoder } from 'node:string_decoder'
import type { ClientChannel } from 'ssh2'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Command, Exit } from '../../tasks/ports.ts'
import { shellCommand } from './shell-quote.ts'
import type { SshConnection } from './ssh-connection.ts'
import { endpoint } from './ssh-failure.ts'

const defaultTimeoutMs = 10 * 60_000

/**
 * Runs a program on the host; lines of both streams are told as they come. When it is not waited for any more (deadline,
 * interruption) the program gets SIGTERM, unless it was given input, and its channel is closed.
 * @throws TaskFailure (timeout, unreachable, interrupted). A non-zero exit is a value; death by a signal is 128 + its number, as in a shell.
 */
export async function runOverSsh(connection: SshConnection, command: Command, onLine?: (line: string) => void): Promise<Exit> {
  // ssh2 sends no signal once the input has ended, so a program without input gets an empty one from the host's side.
  const line = command.stdin === undefined ? `${shellCommand(command)} </dev/null` : shellCommand(command)
  return connection.perform(`\`${command.argv[0]}\``, command.timeoutMs ?? defaultTimeoutMs, async (signal) => {
    try {
      const channel = await connection.exec(line, signal)
      signal.addEventListener('abort', () => terminate(channel), { once: true })
      return await exitOf(channel, command.stdin, onLine)
    } catch (error) {
      if (error instanceof TaskFailure || signal.aborted) throw error
      throw await notRun(connection, command, error as Error)
    }
  })
}

function terminate(channel: ClientChannel): void {
  channel.signal('TERM')
  channel.close()
}

async function notRun(connection: SshConnection, command: Command, error: Error): Promise<TaskFailure> {
  const settings = await connection.settings()
  const message = `cannot run \`${command.argv[0]}\` on ${endpoint(settings)}: ${error.message}`
  const remedy = 'sshd may allow few sessions per connection (`MaxSessions`, 10 by default), or none for this key'
  return new TaskFailure({ reason: 'refused', subject: settings.name, message, remedy }, { cause: error })
}

function exitOf(channel: ClientChannel, stdin: string | undefined, onLine: ((line: string) => void) | undefined): Promise<Exit> {
  return new Promise((resolve, reject) => {
    const stdout = collect(channel, onLine)
    const stderr = collect(channel.stderr, onLine)
    channel.once('close', (code: number | null | undefined, signalName?: string) => {
      const exit = exitCode(code, signalName)
      if (exit === undefined) reject(new Error('the channel was closed before the program ended'))
      else resolve({ code: exit, stdout: stdout(), stderr: stderr() })
    })
    // A program may end without reading all of its input.
    channel.on('error', () => undefined)
    if (stdin !== undefined) channel.end(stdin)
  })
}

function exitCode(code: number | null | undefined, signalName: string | undefined): number | undefined {
  if (typeof code === 'number') return code
  return signalName === undefined ? undefined : 128 + (constants.signals[signalName as NodeJS.Signals] ?? 0)
}

/** Tells whole lines, the last one when the stream ends. @returns what gives the whole text. */
function collect(stream: NodeJS.ReadableStream, onLine: ((line: string) => void) | undefined): () => string {
  const decoder = new StringDecoder('utf8')
  let text = ''
  let rest = ''
  const take = (part: string) => {
    text += part
    if (onLine === undefined) return
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.replace(/\r$/, ''))
  }
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  stream.once('end', () => {
    take(decoder.end())
    if (onLine !== undefined && rest !== '') onLine(rest)
    rest = ''
  })
  return () => text
}
