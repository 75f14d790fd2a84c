import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { withFleet } from '../operations/fleet.ts'
import { selectionFlags } from '../operations/selection.ts'
import { unlock } from '../operations/unlock/unlock.ts'

export const summary = 'show who holds an environment, and free it from the dead'
export const feature = 'CLI_RELEASES'
export const options = z.strictObject({
  host: selectionFlags.host,
  force: z.boolean().default(false).describe('take the lock also from a holder that shows life: what it was about to do is cut off'),
  yes: z.boolean().default(false).describe('do not ask'),
  format: z.enum(['text', 'json']).default('text').describe('form of the result'),
})
export const examples = ['stagecraft releases unlock --env prod', 'stagecraft releases unlock --env prod --host node-2 --yes']

/** @throws InputError for an unknown host. */
export function run({ host, ...input }: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return withFleet({ host }, globals, app, (fleet) => unlock(fleet, { ...input, dryRun: globals.dryRun }, app))
}
