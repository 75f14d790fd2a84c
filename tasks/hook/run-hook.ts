/** Runs a hook: on this machine, as a task of the user's would, or in a one-off container of a service's new image. */
import { exitFailure } from '../exec/command-text.ts'
import { alwaysPassed } from '../exec/request.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import { runInContainer } from './container.ts'
import type { HookParams } from './params.ts'
import { hookVariables } from './variables.ts'

/**
 * @param more variables beside those that every hook gets.
 * @throws TaskFailure when it failed, unless it says `on_failure: warn`: then that is a line of its output.
 */
export async function runHook(params: HookParams, context: TaskContext, more: Readonly<Record<string, string>> = {}): Promise<void> {
  try {
    if (params.locked) await context.guard()
    const variables = { ...(await hookVariables(params, context)), ...more }
    const end = params.container
      ? await runInContainer(params, params.container, variables, context)
      : await runHere(params, variables, context)
    if (end.code !== 0) throw new TaskFailure(exitFailure(`hook ${params.point}`, params.command, end))
  } catch (error) {
    if (!(error instanceof TaskFailure) || !isForgiven(error, params, context)) throw error
    context.log(`warning: ${error.failure.message}; on_failure is warn, so the deploy goes on`)
  }
}

/** What it did is its own affair; that we were told to stop, or have lost the lock, is not. */
function isForgiven({ failure }: TaskFailure, { onFailure }: HookParams, { signal }: TaskContext): boolean {
  return onFailure === 'warn' && !signal.aborted && failure.reason !== 'lock-lost' && failure.reason !== 'interrupted'
}

async function runHere(params: HookParams, variables: Readonly<Record<string, string>>, { ports, log, signal }: TaskContext) {
  const { environment, programs, secrets, projectDirectory } = ports
  const env = {
    ...environment.matching([...alwaysPassed, ...params.env]),
    ...Object.fromEntries(params.secrets.map((name) => [name, secrets.get(name)])),
    ...variables,
  }
  const [program = '', ...rest] = params.command
  return programs.run({ argv: [program, ...rest], cwd: projectDirectory, env, timeoutMs: params.timeoutMs }, log, signal)
}
