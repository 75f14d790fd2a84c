import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { fleetNote } from '../operations/audit/fleet-note.ts'
import { withFleet } from '../operations/fleet.ts'
import { onlyNamedEnvironment } from '../operations/named-environment.ts'
import { allKinds, runPrune } from '../operations/prune/run-prune.ts'

export const summary = 'remove from hosts what no kept release needs'
export const feature = 'CLI_PRUNE'
export const options = z.strictObject({
  host: z.array(z.string()).optional().describe('only on these hosts').meta({ value: '<a,b>' }),
  keep: z.number().int().min(1).default(5).describe('releases to keep what they need of'),
  images: z.boolean().default(false).describe('only images'),
  bundles: z.boolean().default(false).describe('only bundles and the files they mount'),
})
export const examples = [
  'stagecraft prune --env prod --dry-run',
  'stagecraft prune --env prod --keep 3',
  'stagecraft prune --env prod --images',
]

/** @throws InputError without an environment. @throws TaskFailure for a held lock, or a primary host that does not answer. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  await onlyNamedEnvironment(globals, app, 'prune')
  const { images, bundles } = input
  const wants = images || bundles ? { containers: false, images, bundles } : allKinds
  return withFleet(
    { host: input.host },
    globals,
    app,
    (fleet) => runPrune(fleet, { keep: input.keep, dryRun: globals.dryRun, wants, note: fleetNote(fleet, app) }, app),
    {
      notOnSwarm: 'a deploy removes configs and secrets that nothing needs; images are removed on each node with `docker image prune`',
    },
  )
}
