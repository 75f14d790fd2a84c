/** A command that keeps running: started, watched until it is ready, and held. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Failure } from '../../graph/types.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { ProgramEnd, RunningProgram } from '../ports.ts'
import { commandText, endText } from './command-text.ts'
import type { ExecParams, Readiness } from './params.ts'
import { requestOf } from './request.ts'

const firstPollMs = 20
const longestPollMs = 500

/** Resolves when it is ready, with the service held. @throws TaskFailure when it ends before, or does not get ready in time. */
export async function startService(params: ExecParams, ready: Readiness, context: TaskContext): Promise<void> {
  await refuseWhatIsThere(params, ready, context)
  const seen = lineWatch(ready)
  const program = await context.ports.programs.start(requestOf(params.command, params, context), (line) => {
    seen.look(line)
    context.log(line)
  })
  let isAsked = false
  const stop = () => {
    isAsked = true
    return program.stop()
  }
  try {
    await untilReady(params, ready, seen, program, context)
  } catch (error) {
    await stop()
    throw error
  }
  const ended = program.ended.then((end) => (isAsked ? undefined : diedFailure(params, end, 'while it was in use')))
  context.hold({ stop, ended })
}

/** Somebody else's server would pass for ours, and ours could not listen. */
async function refuseWhatIsThere({ name }: ExecParams, { http, tcp }: Readiness, { ports, signal }: TaskContext): Promise<void> {
  const place = http ?? tcp
  if (place === null) return
  const { hostname, port, protocol } = new URL(http ?? `tcp://${tcp}`)
  const address = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
  if ((await ports.probes.tcp(address, signal)) !== undefined) return
  throw new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `something already listens at ${address}, where \`${name}\` is to become ready`,
    remedy: `end it (\`ss -ltnp\` shows what listens), or give \`${name}\` another port`,
  })
}

interface LineWatch {
  look(line: string): void
  readonly isSeen: boolean
}

function lineWatch({ line: pattern }: Readiness): LineWatch {
  const form = pattern === null ? undefined : new RegExp(pattern)
  let isSeen = form === undefined
  return {
    look(line) {
      // Colours are for the eye.
      isSeen ||= form?.test(line.replace(ansiSequence, '')) ?? false
    },
    get isSeen() {
      return isSeen
    },
  }
}

const ansiSequence = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g')

async function untilReady(
  params: ExecParams,
  ready: Readiness,
  seen: LineWatch,
  program: RunningProgram,
  context: TaskContext,
): Promise<void> {
  const deadline = Date.now() + ready.timeoutMs
  let ended: ProgramEnd | undefined
  const settled = new AbortController()
  void program.ended.then((end) => {
    ended = end
    settled.abort()
  })
  const signal = AbortSignal.any([context.signal, settled.signal])
  let lastMissing: readonly string[] | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    const missing = await whatIsMissing(params, ready, seen, { ...context, signal: AbortSignal.any([signal, limit(deadline)]) })
    if (context.signal.aborted)
      throw new TaskFailure({ reason: 'interrupted', subject: params.name, message: 'interrupted before it was ready' })
    if (ended !== undefined) throw new TaskFailure(diedFailure(params, ended, 'before it was ready'))
    if (missing.length === 0) return
    // A look that the end of the time cut short found nothing out.
    if (Date.now() >= deadline) throw new TaskFailure(notReady(params, ready, lastMissing ?? missing))
    lastMissing = missing
    await delay(Math.min(pollMs, Math.max(1, deadline - Date.now())), undefined, { signal }).catch(() => {})
  }
}

const limit = (deadline: number): AbortSignal => AbortSignal.timeout(Math.max(1, deadline - Date.now()))

/** What does not hold yet, in words. */
async function whatIsMissing(
  params: ExecParams,
  { http, tcp, line, command }: Readiness,
  seen: LineWatch,
  context: TaskContext,
): Promise<readonly string[]> {
  const { probes } = context.ports
  const silent = seen.isSeen ? undefined : `no line of its output matches /${line}/`
  const asked = await Promise.all([
    http === null ? undefined : probes.http(http, context.signal),
    tcp === null ? undefined : probes.tcp(tcp, context.signal),
    command === null ? undefined : failedProbe(command, params, context),
  ])
  return [silent, ...asked].filter((text) => text !== undefined)
}

async function failedProbe(command: readonly string[], params: ExecParams, context: TaskContext): Promise<string | undefined> {
  let last = ''
  try {
    const end = await context.ports.programs.run(requestOf(command, params, context), (line) => (last = line), context.signal)
    return end.code === 0 ? undefined : `\`${commandText(command)}\` ${endText(end)}${last === '' ? '' : `: ${last}`}`
  } catch (error) {
    if (error instanceof TaskFailure && error.failure.reason === 'interrupted') return `\`${commandText(command)}\` has not ended`
    throw error
  }
}

function notReady({ name }: ExecParams, { timeoutMs }: Readiness, missing: readonly string[]): Failure {
  const message = [`\`${name}\` was not ready within ${timeoutMs / 1000} s:`, ...missing].join('\n')
  return { reason: 'unhealthy', subject: name, message, remedy: 'see its last lines, or give it more time with `service.ready.timeout`' }
}

function diedFailure({ name, command }: ExecParams, end: ProgramEnd, when: string): Failure {
  return { reason: 'exit', subject: name, message: `\`${commandText(command)}\` ${endText(end)} ${when}` }
}
