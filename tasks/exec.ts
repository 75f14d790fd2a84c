/** `exec`: runs a command of the user's. Content like any other: what it reads is fingerprinted, what it writes is kept and can be put back. */
import type { ActionResult, TaskId } from '../graph/types.ts'
import { endText, exitFailure } from './exec/command-text.ts'
import { KeptLog } from './exec/kept-log.ts'
import { type ExecParams, execParams } from './exec/params.ts'
import { requestOf } from './exec/request.ts'
import { startService } from './exec/service.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'

export const exec = defineTask<ExecParams>({
  name: 'exec',
  version: 1,
  summary: 'runs a command of yours',
  freshness: 'content',
  pool: 'exec',
  oneAtATime: true,
  params: execParams,
  title: ({ name }) => name,

  // The name is told to the command.
  identity: ({ name, command, cwd, outputs, variables }) => ({ name, command, cwd, outputs, variables }),

  inputs: ({ inputs, outputs, env, secrets, tools, variables }) => ({
    files: inputs === null ? [] : [{ root: '.', include: [...inputs, ...outputs.filter(isOnlyOutput(inputs)).map(negated)] }],
    environment: env,
    secrets,
    tools,
    toolVariables: variables,
    platform: true,
  }),

  always: whyAlways,
  writes: ({ outputs }) => outputs,
  poolOf: ({ pool }) => pool ?? undefined,
  isService: ({ service }) => service !== null,
  promise: valueOfUntold,

  isIntact: ({ outputs }, { ports }, result) => ports.outputs.isIntact(outputs, result),
  restore: ({ outputs }, { ports }, result) => ports.outputs.restore(outputs, result),

  async run(params, context): Promise<ActionResult> {
    const { outputs, service } = params
    if (context.remark) remarkOnVariables(params, context)
    if (service !== null) {
      await startService(params, service.ready, context)
      return valueOfUntold(params, context)
    }
    await context.ports.outputs.prepare(outputs)
    const log = new KeptLog()
    await runAttempts(params, context, (line) => {
      log.add(line)
      context.log(line)
    })
    context.leaveSlot?.()
    const captured = await context.ports.outputs.capture(outputs, params.cwd)
    const kept = await keptLog(log.text(), context)
    // Of a task that says nothing of what it writes, dependents see what it was made from.
    const told = outputs.length > 0 ? { values: {} } : valueOfUntold(params, context)
    return { ...captured, values: told.values, ...kept }
  },
})

/** That a cache cannot be written is no fault of the task: the cache has said so, and what the task printed was seen. */
async function keptLog(printed: string, { ports }: TaskContext): Promise<Pick<ActionResult, 'log'>> {
  if (printed === '') return {}
  try {
    return { log: await ports.content.write(Buffer.from(printed)) }
  } catch (error) {
    if (error instanceof TaskFailure) return {}
    throw error
  }
}

/** What nobody can vouch for is never skipped. */
function whyAlways({ inputs, cache, service }: ExecParams, needs: ReadonlyMap<TaskId, ActionResult>): string | undefined {
  if (service !== null) return undefined
  if (!cache) return 'it says `cache: false`'
  if (inputs === null) return 'it declares no `inputs`'
  const untracked = untrackedNeed(needs)
  return untracked && `it needs ${untracked.replace(/^exec:/, '')}, and nothing tells what that made`
}

function untrackedNeed(needs: ReadonlyMap<TaskId, ActionResult>): TaskId | undefined {
  return [...needs].find(([, result]) => result.values['untracked'] === true)?.[0]
}

/** What it reads *and* rewrites is listed in both, and counts as read. */
function isOnlyOutput(inputs: readonly string[]): (pattern: string) => boolean {
  return (pattern) => !inputs.includes(pattern) && !pattern.startsWith('!')
}

const negated = (pattern: string): string => `!${pattern}`

/** What stands for it where no output does: what it was made from, if anybody knows that. */
function valueOfUntold(params: ExecParams, { fingerprint, needs }: Pick<TaskContext, 'fingerprint' | 'needs'>): ActionResult {
  const isKnown = params.service === null ? whyAlways(params, needs) === undefined : untrackedNeed(needs) === undefined
  return { files: {}, values: isKnown ? { fingerprint } : { untracked: true } }
}

/** Again after a failure, as often as `retries` says. Being told to stop, and a program that is not there, are no such failure. */
async function runAttempts(params: ExecParams, context: TaskContext, onLine: (line: string) => void): Promise<void> {
  const { name, command, retries, timeoutMs } = params
  const limit = timeoutMs === null ? {} : { timeoutMs }
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt > retries
    const again = (what: string) => onLine(`attempt ${attempt} of ${retries + 1} ${what}: trying again`)
    try {
      const request = { ...requestOf(command, params, context, attempt), ...limit }
      const end = await context.ports.programs.run(request, onLine, context.signal)
      if (end.code === 0) return
      if (isLast) throw new TaskFailure(exitFailure(name, command, end))
      again(endText(end))
    } catch (error) {
      if (isLast || !(error instanceof TaskFailure) || error.failure.reason !== 'timeout') throw error
      again(`took longer than ${(timeoutMs ?? 0) / 1000} s`)
    }
    if (context.signal.aborted) throw new TaskFailure({ reason: 'interrupted', subject: name, message: 'interrupted between two attempts' })
  }
}

/** Names, never values. */
function remarkOnVariables(params: ExecParams, context: TaskContext): void {
  const names = Object.keys(requestOf(params.command, params, context).env).sort()
  context.remark?.(`variables it gets: ${names.join(', ')}`)
}
