import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { withFleet } from '../operations/fleet.ts'
import { outputWindow } from '../operations/logs/output-window.ts'
import { showLogs } from '../operations/logs/show-logs.ts'
import { selectionFlags } from '../operations/selection.ts'
import { checkedValue } from '../session/checked-value.ts'

export const summary = 'show what services print, of all hosts in one stream'
export const feature = 'CLI_LOGS'
const positionals = z.strictObject({ services: z.array(z.string()).default([]).describe('only these services') })

export { positionals as arguments }
export const options = z.strictObject({
  ...selectionFlags,
  follow: z.boolean().default(false).describe('go on until interrupted, also with containers that appear').meta({ alias: 'f' }),
  tail: z.string().optional().describe('the last lines of each container; default 100, or all with --since').meta({ value: '<n|all>' }),
  since: z.string().optional().describe('lines after a duration ago, or a time').meta({ value: '<10m|time>' }),
  grep: z.string().optional().describe('lines that hold a text, or match a /regular expression/').meta({ value: '<text>' }),
  timestamps: z.boolean().default(false).describe('when each line was written, in UTC'),
  prefix: z.boolean().default(true).describe('do not say which container wrote a line'),
  format: z.enum(['text', 'json']).default('text').describe('lines as text, or as one JSON object each'),
})
export const examples = [
  'stagecraft logs --env prod --follow',
  'stagecraft logs api --since 1h --grep error',
  'stagecraft logs web --host node-1 --tail all --timestamps',
]

/** @throws InputError for an unknown service, host or role. @throws TaskFailure when there is no container to read from. */
export async function run(
  input: z.infer<typeof positionals> & z.infer<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const window = checkedValue(outputWindow(input, app.now()))
  const named = [...input.services, ...(input.service ?? [])]
  const selection = { host: input.host, role: input.role, ...(named.length > 0 ? { service: named } : {}) }
  const { follow, timestamps, prefix, format } = input
  return withFleet(selection, globals, app, (fleet) => showLogs(fleet, { window, follow, timestamps, prefix, format }, globals, app), {
    placed: true,
    servicesAsContainers: true,
  })
}
