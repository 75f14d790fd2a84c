/** A program inside a running container, with its streams as they are (Engine API, `/containers/{id}/exec`, `/exec/{id}/start`). */
import type { Duplex } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import { askEngine, hijackEngine } from './engine-request.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost } from './ssh-engine-agent.ts'

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

export interface ContainerProgram {
  readonly container: string
  /** Never a shell string: the Engine starts exactly these words. */
  readonly argv: readonly string[]
  readonly user?: string
  /** Absolute, in the container. */
  readonly directory?: string
  /** Added to the container's own. */
  readonly env?: Readonly<Record<string, string>>
  /** It reads what is written to `stream`, until that is ended. */
  readonly input: boolean
  /** It gets a terminal of this size: both outputs are one then. */
  readonly terminal?: TerminalSize
}

export interface RunningInContainer {
  /** What is written goes to the program. What is read is framed (`OutputFrames`) unless there is a terminal. */
  readonly stream: Duplex
  /** Tells the program's terminal of another size. A program that has ended does not mind. */
  resize(size: TerminalSize): Promise<void>
  /** Once the stream has ended. @throws TaskFailure `unreachable` when the program still runs: the stream was cut. */
  exitCode(): Promise<number>
}

/** @throws TaskFailure when the Engine refuses. A program that is not there ends with code 126 or 127 and a message on its output. */
export async function startInContainer(
  connection: SshConnection,
  agent: EngineAgent,
  program: ContainerProgram,
): Promise<RunningInContainer> {
  const { container, argv, user, directory, env, input, terminal } = program
  const what = `run \`${argv[0] ?? ''}\` in container ${container.slice(0, 12)}`
  const ConsoleSize = terminal && [terminal.rows, terminal.columns]
  const made = await askEngine(connection, agent, {
    what,
    method: 'POST',
    path: `/containers/${encodeURIComponent(container)}/exec`,
    body: {
      Cmd: argv,
      AttachStdin: input,
      AttachStdout: true,
      AttachStderr: true,
      Tty: terminal !== undefined,
      ...(ConsoleSize && { ConsoleSize }),
      ...(user !== undefined && { User: user }),
      ...(directory !== undefined && { WorkingDir: directory }),
      ...(env && { Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) }),
    },
  })
  const path = `/exec/${encodeURIComponent(String((made.json as { readonly Id?: string } | undefined)?.Id))}`
  const start = { Detach: false, Tty: terminal !== undefined, ...(ConsoleSize && { ConsoleSize }) }
  const stream = await hijackEngine(connection, agent, { what, method: 'POST', path: `${path}/start`, body: start })
  return {
    stream,
    async resize({ columns, rows }) {
      const resizing = { what: 'resize the terminal', method: 'POST', path: `${path}/resize?h=${rows}&w=${columns}` } as const
      await askEngine(connection, agent, { ...resizing, expected: [400, 404, 409, 500] })
    },
    async exitCode() {
      const { json } = await askEngine(connection, agent, { what, method: 'GET', path: `${path}/json` })
      const { Running, ExitCode } = (json ?? {}) as { readonly Running?: boolean; readonly ExitCode?: number | null }
      if (Running !== true && typeof ExitCode === 'number') return ExitCode
      const { name, where } = await engineHost(connection)
      const message = `the connection to \`${argv[0] ?? ''}\` on ${where} broke off before it ended; it may still run`
      throw new TaskFailure({ reason: 'unreachable', subject: name, message })
    },
  }
}
