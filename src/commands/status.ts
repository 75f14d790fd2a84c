import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { withFleet } from '../operations/fleet.ts'
import { selectionFlags } from '../operations/selection.ts'
import { showStatus } from '../operations/status/show-status.ts'

export const summary = 'show what runs on every host, and what is not as released'
export const feature = 'CLI_STATUS'
export const options = z.strictObject({
  ...selectionFlags,
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
  watch: z.boolean().default(false).describe('go on showing it until interrupted').meta({ alias: 'w' }),
  exitCode: z.boolean().default(false).describe('end with 10 when something is not as released'),
})
export const examples = [
  'stagecraft status --env prod',
  'stagecraft status --env prod --watch',
  'stagecraft status --exit-code --format json',
]

/** One look at each host, at once. @throws InputError for an unknown environment, host, role or service. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return withFleet(input, globals, app, (fleet) => showStatus(fleet, input, globals, app))
}
