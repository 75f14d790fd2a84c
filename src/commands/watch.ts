import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { runOptions, selectionOptions } from '../session/run-options.ts'
import { targetNames } from '../session/target-names.ts'
import { watchTargets } from '../session/watch-targets.ts'

export const summary = 'run targets, and again what a saved file touches'
export const feature = 'CLI_WATCH'
export const options = runOptions.extend(selectionOptions.shape)
export const examples = ['stagecraft watch test', 'stagecraft watch lint test --only "lint*"']

const positionals = z.strictObject({
  target: z.array(z.string()).default([]).describe('as for run'),
})

export { positionals as arguments, targetNames as complete }

export function run(input: z.output<typeof positionals> & z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { target: targets, ...rest } = input
  return watchTargets({ targets, ...rest }, globals, app)
}
