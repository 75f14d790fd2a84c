import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { fleetOptions, lockOptions, runOptions } from '../session/run-options.ts'
import { runTargets } from '../session/run-targets.ts'

export const summary = 'bring an environment to the state of this checkout'
export const feature = 'CLI_DEPLOY'
export const options = z.strictObject({ ...runOptions.shape, ...fleetOptions.shape, ...lockOptions.shape })
export const examples = [
  'stagecraft deploy --env prod',
  'stagecraft deploy --env prod --dry-run',
  'stagecraft deploy --env prod --version v1.4.0',
  'stagecraft deploy --env prod --services web',
  'stagecraft deploy --env prod --wait=10m',
]

/** `run deploy`, by the same path. */
export function run(input: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return runTargets({ targets: ['deploy'], ...input }, globals, app)
}
