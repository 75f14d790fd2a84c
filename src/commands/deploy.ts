import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { fleetOptions, lockOptions, runOptions } from '../session/run-options.ts'
import { runTargets } from '../session/run-targets.ts'

export const summary = 'bring an environment to the state of this checkout'
export const feature = 'CLI_DEPLOY'
export const options = z.strictObject({
  ...runOptions.shape,
  ...fleetOptions.shape,
  ...lockOptions.shape,
  plan: z.string().optional().describe('do what `plan --out` kept, and nothing if anything moved since').meta({ value: '<file>' }),
})
export const examples = [
  'stagecraft deploy --env prod',
  'stagecraft deploy --env prod --dry-run',
  'stagecraft deploy --env prod --version v1.4.0',
  'stagecraft deploy --env prod --services web',
  'stagecraft deploy --env prod --wait=10m',
  'stagecraft deploy --plan prod.plan.json',
]

/** `run deploy`, by the same path. */
export async function run({ plan: file, ...input }: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const given = { targets: ['deploy'], ...input }
  if (file === undefined) return runTargets(given, globals, app)
  const { readPlan, wordsOf } = await import('../session/plan-file.ts')
  const plan = await readPlan(file, app)
  return runTargets(wordsOf(file, plan, given, globals), { ...globals, env: plan.environment }, app)
}
