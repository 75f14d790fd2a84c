import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { rollBack } from '../session/roll-back.ts'
import { runOptions } from '../session/run-options.ts'

export const summary = 'bring an environment back to an earlier release'
export const feature = 'CLI_ROLLBACK'
export const options = z.strictObject({
  toPrevious: z.boolean().default(false).describe('to the last good release before the one that is live'),
  toRelease: z.string().optional().describe('to this release').meta({ value: '<id>' }),
  to: z.string().optional().describe('short for --to-release').meta({ value: '<id>' }),
  toVersion: z.string().optional().describe('to the newest good release of this version').meta({ value: '<version>' }),
  reason: z.string().max(500).optional().describe('kept with the release, for whoever reads it later').meta({ value: '<text>' }),
  yes: z.boolean().default(false).describe('do not ask'),
  ...runOptions.pick({ concurrency: true, output: true, explain: true, trace: true, summary: true, format: true }).shape,
})
export const examples = [
  'stagecraft rollback --env prod --to-previous',
  'stagecraft rollback --env prod --to-version v1.4.0 --reason "orders fail"',
  'stagecraft rollback --env prod --to-previous --dry-run',
]

/** @throws InputError for a target that is none. */
export function run(input: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return rollBack({ ...input, cache: true, continue: false }, globals, app)
}
