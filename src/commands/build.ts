import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { runOptions } from '../session/run-options.ts'
import { runTargets } from '../session/run-targets.ts'

export const summary = 'build images, and push them if asked'
export const feature = 'CLI_BUILD'
export const options = runOptions.extend({
  push: z.boolean().default(false).describe('push what was built'),
  services: z.array(z.string()).optional().describe('only these services').meta({ value: '<a,b>' }),
})
export const examples = ['stagecraft build --env prod', 'stagecraft build --env prod --services api,web --push']

export function run(input: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const { push, services, ...rest } = input
  const kind = push ? 'push' : 'build'
  return runTargets({ targets: services?.map((service) => `${kind}:${service}`) ?? [kind], ...rest }, globals, app)
}
