import { join } from 'node:path'
import type { TaskContext } from '../kind.ts'
import type { ProgramRequest } from '../ports.ts'
import type { ExecParams } from './params.ts'

/** Passed to every command: without them hardly a program starts, and none of them should decide what it makes. */
export const alwaysPassed = ['PATH', 'TMPDIR', 'TERM', 'LANG', 'LC_*', 'NO_COLOR', 'FORCE_COLOR']

/** What a command of the task runs with. All that is not named here is withheld. */
export function requestOf(argv: readonly string[], params: ExecParams, { ports }: TaskContext, attempt = 1): ProgramRequest {
  const { environment, projectDirectory, secrets } = ports
  return {
    argv: argv as [string, ...string[]],
    cwd: join(projectDirectory, params.cwd),
    env: {
      ...environment.matching([...alwaysPassed, ...params.passEnv, ...params.env]),
      ...params.variables,
      ...Object.fromEntries(params.secrets.map((name) => [name, secrets.get(name)])),
      STAGECRAFT_TASK: params.name,
      STAGECRAFT_ATTEMPT: String(attempt),
    },
  }
}
