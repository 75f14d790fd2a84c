import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { runOptions, selectionOptions } from '../session/run-options.ts'
import { runTargets } from '../session/run-targets.ts'
import { targetNames } from '../session/target-names.ts'

export const summary = 'run targets or single tasks, and all they depend on'
export const feature = 'CLI_RUN'
export const options = runOptions.extend({
  ...selectionOptions.shape,
  watch: z.boolean().default(false).describe('run again what a saved file touches, until interrupted'),
})
export const examples = [
  'stagecraft run test',
  'stagecraft run ci --affected',
  'stagecraft run test --watch',
  'stagecraft run deploy --env prod',
  'stagecraft run build:api --env prod --force',
  'stagecraft run render --env prod --dry-run',
]

const positionals = z.strictObject({
  target: z
    .array(z.string())
    .default([])
    .describe('a task or pipeline of yours, build, push, render, migrate, deploy, or the id of a task'),
})

export { positionals as arguments, targetNames as complete }

export async function run(
  input: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const { target: targets, watch, ...rest } = input
  if (!watch) return runTargets({ targets, ...rest }, globals, app)
  const { watchTargets } = await import('../session/watch-targets.ts')
  return watchTargets({ targets, ...rest }, globals, app)
}
