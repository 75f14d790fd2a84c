/** `stagecraft exec`: one program in one running container of a service, or in all of them. */
import { StringDecoder } from 'node:string_decoder'
import { TaskFailure } from '../../../tasks/kind.ts'
import { Interrupted } from '../../cli/interrupt.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, programCode } from '../../contracts.ts'
import type { ContainerProgram } from '../../hosts/engine-program.ts'
import { exitCodeOf, type Fleet } from '../fleet.ts'
import { shortContainer } from '../logs/line-text.ts'
import { type Conversation, converse, listen, terminalSize } from './converse.ts'
import { chooseReplica, type Replica, replicaNumber, runningReplicas } from './replica.ts'
import { markVariable, newMark, stopProgram } from './stop-program.ts'

export interface ExecOptions extends Conversation {
  readonly service: string
  readonly argv: readonly string[]
  readonly replica?: number
  readonly user?: string
  readonly directory?: string
}

/** On one replica, with our own streams. @throws TaskFailure when none runs. @returns the program's exit code. */
export async function execOnOne(fleet: Fleet, options: ExecOptions, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { replicas, answers } = await look(fleet, options.service)
  const chosen = chooseReplica(replicas, options.replica)
  if (chosen === undefined) {
    for (const answer of answers) if (!answer.ok) throw new TaskFailure(answer.failure)
    throw nothingRuns(fleet, options, replicas)
  }
  if (!globals.quiet) app.stderr.write(`${options.service} in ${nameOf(fleet, chosen)}\n`)
  const mark = newMark()
  const running = await fleet.operator(chosen.host).start({
    ...programOf(chosen, options, mark),
    ...(options.terminal && { terminal: terminalSize(app.stdout) }),
  })
  const release = onInterrupt(app, async (signal) => {
    const told = await stopProgram(fleet.operator(chosen.host), { container: chosen.container.id, mark, ...user(options) }, signal)
    if (told) return
    app.stderr.write(`warning: the program in ${nameOf(fleet, chosen)} cannot be told to stop, and may go on\n`)
    running.stream.destroy()
  })
  try {
    return programCode(await converse(running, options, app))
  } catch (error) {
    // It was let go of, and said so.
    if (app.signal.aborted && running.stream.destroyed) return exitCodes.interrupted
    throw error
  } finally {
    await release()
  }
}

/** On every replica at once, a prefix on each line. @returns the highest exit code, 10 when only some hosts answered and all went well. */
export async function execOnAll(fleet: Fleet, options: ExecOptions, app: App): Promise<ExitCode> {
  const { replicas, answers } = await look(fleet, options.service)
  for (const answer of answers) if (!answer.ok) app.stderr.write(`warning: ${answer.name}: ${answer.failure.message}\n`)
  if (replicas.length === 0) {
    if (answers.some(({ ok }) => !ok)) return exitCodes.world
    throw nothingRuns(fleet, options, replicas)
  }
  const width = Math.max(...replicas.map((replica) => nameOf(fleet, replica).length))
  const codes = await Promise.all(
    replicas.map(async (replica) => {
      const name = nameOf(fleet, replica)
      try {
        return await execWithPrefix(fleet, replica, options, `${name.padEnd(width)} | `, app)
      } catch (error) {
        if (!(error instanceof TaskFailure) || error.failure.reason === 'bug') throw error
        app.stderr.write(`${name.padEnd(width)} | ${error.failure.message}\n`)
        return exitCodes.world
      }
    }),
  )
  const worst = Math.max(...codes)
  return worst === 0 ? exitCodeOf(answers) : programCode(worst)
}

async function execWithPrefix(fleet: Fleet, replica: Replica, options: ExecOptions, prefix: string, app: App): Promise<number> {
  const mark = newMark()
  const operator = fleet.operator(replica.host)
  const running = await operator.start(programOf(replica, options, mark))
  const release = onInterrupt(app, async (signal) => {
    const told = await stopProgram(operator, { container: replica.container.id, mark, ...user(options) }, signal)
    if (!told) running.stream.destroy()
  })
  const lines = { stdout: prefixed(app.stdout, prefix), stderr: prefixed(app.stderr, prefix) }
  try {
    await listen(running, false, ({ stream, bytes }) => lines[stream].take(bytes))
  } finally {
    await release()
    lines.stdout.end()
    lines.stderr.end()
  }
  return running.exitCode()
}

function programOf({ container }: Replica, options: ExecOptions, mark: string): ContainerProgram {
  return {
    container: container.id,
    argv: options.argv,
    env: { [markVariable]: mark },
    input: options.input,
    ...user(options),
    ...(options.directory !== undefined && { directory: options.directory }),
  }
}

function user({ user }: ExecOptions): { readonly user?: string } {
  return user === undefined ? {} : { user }
}

async function look(fleet: Fleet, service: string) {
  const answers = await fleet.ask(async (host) => (await host.observe()).containers)
  const looks = answers.flatMap((answer) => (answer.ok ? [{ host: answer.name, containers: answer.value }] : []))
  return { answers, replicas: runningReplicas(looks, service) }
}

/** Passes the interrupt on as the signal it was. @returns what ends listening, and waits for what was begun. */
function onInterrupt(app: Pick<App, 'signal' | 'stderr'>, pass: (signal: NodeJS.Signals) => Promise<void>): () => Promise<void> {
  let passing: Promise<unknown> = Promise.resolve()
  const listener = () => {
    const { reason } = app.signal
    const signal = reason instanceof Interrupted ? (reason.by as NodeJS.Signals) : 'SIGTERM'
    passing = pass(signal).catch((error: unknown) =>
      app.stderr.write(`warning: ${error instanceof Error ? error.message : String(error)}\n`),
    )
  }
  if (app.signal.aborted) listener()
  app.signal.addEventListener('abort', listener, { once: true })
  return async () => {
    app.signal.removeEventListener('abort', listener)
    await passing
  }
}

function prefixed(target: NodeJS.WriteStream, prefix: string) {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return {
    take(bytes: Buffer): void {
      const lines = (rest + decoder.write(bytes)).split('\n')
      rest = lines.pop() ?? ''
      if (lines.length > 0) target.write(lines.map((line) => `${prefix}${line}\n`).join(''))
    },
    end(): void {
      rest += decoder.end()
      if (rest !== '') target.write(`${prefix}${rest}\n`)
    },
  }
}

function nameOf({ deployment }: Fleet, { host, container }: Replica): string {
  return `${host}/${shortContainer(container.name, deployment.composeProject)}`
}

function nothingRuns(fleet: Fleet, { service, replica }: ExecOptions, replicas: readonly Replica[]): TaskFailure {
  const { environment } = fleet.deployment
  const numbers = [...new Set(replicas.flatMap(({ container }) => replicaNumber(container) ?? []))].join(', ')
  const message =
    replica === undefined || replicas.length === 0
      ? `no container of ${service} runs on ${fleet.hosts.map(({ name }) => name).join(', ')}`
      : `no container of ${service} has number ${replica}${numbers === '' ? '' : `: those that run have ${numbers}`}`
  const remedy = `see what runs: stagecraft status --env ${environment}`
  return new TaskFailure({ reason: 'refused', subject: service, message, remedy })
}
