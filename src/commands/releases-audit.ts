import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { showAudit } from '../operations/audit/show-audit.ts'
import { withFleet } from '../operations/fleet.ts'

export const summary = 'show who did what to an environment, and check the record'
export const feature = 'CLI_RELEASES'
export const options = z.strictObject({
  verify: z.boolean().default(false).describe('only say whether the record is whole; exit code 2 when it is not'),
  limit: z.number().int().positive().optional().describe('show at most this many of the newest'),
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
})
export const examples = ['stagecraft releases audit --env prod', 'stagecraft releases audit --env prod --verify']

/** @throws TaskFailure when the primary host does not answer. */
export function run(input: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return withFleet({}, globals, app, (fleet) => showAudit(fleet, input, app))
}
