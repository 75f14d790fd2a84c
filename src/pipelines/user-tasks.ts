/** The user's own tasks: what `tasks` says becomes nodes of the same graph as builds and rollouts. Pure. */
import type { Location, Task, TaskId } from '../../graph/types.ts'
import type { ExecParams } from '../../tasks/exec/params.ts'
import type { LoadedConfig } from '../config/config.ts'
import { parseDuration } from '../config/duration.ts'
import type { TaskConfig } from '../config/schema/tasks.ts'
import { filesOf } from '../config/task-files.ts'

/** @param idsOf ids behind a name: one task, or all of a pipeline or a built-in target. */
export function userTasks(
  { config, locateKey }: Pick<LoadedConfig, 'config' | 'locateKey'>,
  idsOf: (name: string) => readonly TaskId[],
): Task[] {
  return Object.entries(config.tasks).map(([name, task]) => userTask(name, task, idsOf, locateKey(['tasks', name])))
}

function userTask(name: string, task: TaskConfig, idsOf: (name: string) => readonly TaskId[], origin: Location): Task {
  const { inputs, outputs } = filesOf(task)
  const params: ExecParams = {
    name,
    command: commandOf(task.command),
    cwd: task.cwd,
    inputs: inputs ? [...inputs] : null,
    outputs: [...outputs],
    env: task.env,
    passEnv: task.pass_env,
    secrets: task.secrets,
    variables: task.variables,
    tools: task.tools,
    cache: task.cache ?? true,
    timeoutMs: task.timeout === undefined ? null : milliseconds(task.timeout),
    retries: task.retries ?? 0,
    pool: task.pool ?? null,
    service: task.service === undefined ? null : { ready: readiness(task.service.ready) },
  }
  const ids = (names: readonly string[]) => [...new Set(names.flatMap(idsOf))].sort()
  return { id: `exec:${name}` as TaskId, kind: 'exec', params, needs: ids(task.needs), after: ids(task.after), origin }
}

/** A plain string is for the shell, as people expect of a line they could type. */
export function commandOf(command: string | readonly string[]): string[] {
  return typeof command === 'string' ? ['sh', '-c', command] : [...command]
}

function readiness(ready: NonNullable<TaskConfig['service']>['ready']): NonNullable<ExecParams['service']>['ready'] {
  return {
    http: ready.http ?? null,
    tcp: ready.tcp ?? null,
    line: ready.line ?? null,
    command: ready.command === undefined ? null : commandOf(ready.command),
    timeoutMs: milliseconds(ready.timeout ?? '60s'),
  }
}

function milliseconds(duration: string): number {
  return Math.round((parseDuration(duration) ?? 0) * 1000)
}
