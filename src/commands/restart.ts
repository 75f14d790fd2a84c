import { z } from 'zod'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import { fleetNote } from '../operations/audit/fleet-note.ts'
import { type Fleet, withFleet } from '../operations/fleet.ts'
import { onlyNamedEnvironment } from '../operations/named-environment.ts'
import { withSignal } from '../operations/patient-app.ts'
import { runRestart } from '../operations/restart/run-restart.ts'

export const summary = 'restart the containers of services, one after another'
export const feature = 'CLI_RESTART'
const positionals = z.strictObject({ services: z.array(z.string()).default([]).describe('which services, in this order') })

export { positionals as arguments }
export const options = z.strictObject({
  host: z.array(z.string()).optional().describe('only on these hosts').meta({ value: '<a,b>' }),
  role: z.array(z.string()).optional().describe('only on hosts with one of these roles').meta({ value: '<a,b>' }),
  yes: z.boolean().default(false).describe('also where nobody serves meanwhile'),
})
export const examples = [
  'stagecraft restart api --env prod',
  'stagecraft restart api web --env prod --host node-1',
  'stagecraft restart worker --env prod --yes',
]

/** @throws InputError without a service or an environment. @throws TaskFailure for what would be interrupted, or is not healthy again. */
export async function run(
  input: z.infer<typeof positionals> & z.infer<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  if (input.services.length === 0)
    throw new InputError([{ code: 'SC3005', severity: 'error', message: '`<services>` is required: name at least one service' }])
  await onlyNamedEnvironment(globals, app, 'a restart')
  const services = [...new Set(input.services)]
  const selection = { host: input.host, role: input.role, service: services }
  // An interrupt ends it between two containers: one that is down must come up again, over a connection that is still there.
  const patient = withSignal(app, new AbortController().signal)
  const work = (fleet: Fleet) => runRestart(fleet, { services, yes: input.yes, dryRun: globals.dryRun, note: fleetNote(fleet, app) }, app)
  return withFleet(selection, globals, patient, work, {
    placed: true,
    notOnSwarm: 'use `stagecraft deploy --force "rollout:<service>"`, which replaces its copies one after another',
  })
}
