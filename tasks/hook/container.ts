/** A hook in a one-off container of a service's new image. */
import { faultPoint } from '../fault-point.ts'
import type { TaskContext } from '../kind.ts'
import type { ProgramEnd } from '../ports.ts'
import { runOneOff } from '../rolling/one-off.ts'
import type { HookContainer, HookParams } from './params.ts'

/** @throws TaskFailure when it took too long, or the host does not answer. */
export function runInContainer(
  params: HookParams,
  place: HookContainer,
  variables: Readonly<Record<string, string>>,
  context: TaskContext,
): Promise<ProgramEnd> {
  const container = `${place.composeProject}-hook-${params.point.replace(/[^a-z0-9_]+/gi, '-')}`
  const hook = {
    subject: `hook ${params.point}`,
    container,
    label: `hook of ${context.scope.project}`,
    command: params.command,
    variables: { ...context.ports.environment.matching(params.env), ...variables },
    timeoutMs: params.timeoutMs,
    locked: params.locked,
    // Of a run that was killed: its name is taken, and it may still be at work.
    clear: (host: ReturnType<TaskContext['ports']['host']>) => host.engine.remove(container),
    onLine: (line: string) => {
      faultPoint('hook-running', context)
      context.log(line)
    },
  }
  return runOneOff(hook, place, context)
}
