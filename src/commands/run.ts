import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { runOptions } from '../session/run-options.ts'
import { runTargets } from '../session/run-targets.ts'

export const summary = 'run targets or single tasks, and all they depend on'
export const feature = 'CLI_RUN'
export const options = runOptions
export const examples = [
  'stagecraft run deploy --env prod',
  'stagecraft run build:api --env prod --force',
  'stagecraft run render --env prod --dry-run',
]

const positionals = z.strictObject({
  target: z.array(z.string()).min(1).describe('build, push, render, migrate, deploy, or the id of a task'),
})

export { positionals as arguments }

export function run(input: z.output<typeof positionals> & z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { target, ...rest } = input
  return runTargets({ targets: target, ...rest }, globals, app)
}
