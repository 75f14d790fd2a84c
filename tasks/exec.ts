/** `exec`: runs a command of the user's. Content like any other: what it reads is fingerprinted, what it writes is kept and can be put back. */
import { join } from 'node:path'
import type { ActionResult, TaskId } from '../graph/types.ts'
import { type ExecParams, execParams } from './exec/params.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'
import type { ProgramRequest } from './ports.ts'

/** Passed to every command: without them hardly a program starts, and none of them should decide what it makes. */
const alwaysPassed = ['PATH', 'TMPDIR', 'TERM', 'LANG', 'LC_*', 'NO_COLOR', 'FORCE_COLOR']

export const exec = defineTask<ExecParams>({
  name: 'exec',
  version: 1,
  summary: 'runs a command of yours',
  freshness: 'content',
  params: execParams,
  title: ({ name }) => name,

  identity: ({ command, cwd, outputs, variables }) => ({ command, cwd, outputs, variables }),

  inputs: ({ inputs, outputs, env, secrets, tools }) => ({
    files: inputs === null ? [] : [{ root: '.', include: [...inputs, ...outputs.filter(isOnlyOutput(inputs)).map(negated)] }],
    environment: env,
    secrets,
    tools,
    platform: true,
  }),

  always: whyAlways,
  poolOf: ({ pool }) => pool ?? undefined,
  isService: ({ service }) => service !== null,

  isIntact: ({ outputs }, { ports }, result) => ports.outputs.isIntact(outputs, result),
  restore: ({ outputs }, { ports }, result) => ports.outputs.restore(outputs, result),

  async run(params, context): Promise<ActionResult> {
    const { ports, signal } = context
    await ports.outputs.prepare(params.outputs)
    const lines: string[] = []
    const { code } = await ports.programs.run(
      requestOf(params, context),
      (line) => {
        lines.push(line)
        context.log(line)
      },
      signal,
    )
    if (code !== 0) throw failed(params, code)
    const captured = await ports.outputs.capture(params.outputs, params.cwd)
    const log = lines.length === 0 ? {} : { log: await ports.content.write(Buffer.from(lines.map((line) => `${line}\n`).join(''))) }
    return { ...captured, values: valuesOf(params, context), ...log }
  },
})

/** What nobody can vouch for is never skipped. */
function whyAlways({ inputs, cache, service }: ExecParams, needs: ReadonlyMap<TaskId, ActionResult>): string | undefined {
  if (service !== null) return undefined
  if (!cache) return 'it says `cache: false`'
  if (inputs === null) return 'it declares no `inputs`, so nobody knows whether it is up to date'
  const untracked = [...needs].find(([, result]) => result.values['untracked'] === true)
  return untracked && `it needs ${untracked[0]}, and nothing tells what that made`
}

/** What it reads *and* rewrites is listed in both, and counts as read. */
function isOnlyOutput(inputs: readonly string[]): (pattern: string) => boolean {
  return (pattern) => !inputs.includes(pattern) && !pattern.startsWith('!')
}

const negated = (pattern: string): string => `!${pattern}`

/** Of a task that says nothing of what it writes, dependents see what it was made from. */
function valuesOf(params: ExecParams, { fingerprint, needs }: TaskContext): ActionResult['values'] {
  if (params.outputs.length > 0) return {}
  return whyAlways(params, needs) === undefined ? { fingerprint } : { untracked: true }
}

function requestOf(params: ExecParams, { ports }: TaskContext): ProgramRequest {
  const { environment, projectDirectory, secrets } = ports
  return {
    argv: params.command as [string, ...string[]],
    cwd: join(projectDirectory, params.cwd),
    env: {
      ...environment.matching([...alwaysPassed, ...params.passEnv, ...params.env]),
      ...params.variables,
      ...Object.fromEntries(params.secrets.map((name) => [name, secrets.get(name)])),
    },
    ...(params.timeoutMs === null ? {} : { timeoutMs: params.timeoutMs }),
  }
}

function failed({ name, command }: ExecParams, code: number): TaskFailure {
  return new TaskFailure({ reason: 'exit', subject: name, message: `\`${command.join(' ')}\` exited with code ${code}` })
}
