import { z } from 'zod'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import type { SavedPlan } from '../plans/saved-plan.ts'
import { openPart } from '../session/open-part.ts'
import { fleetOptions } from '../session/run-options.ts'
import { showPlan } from '../session/show-plan.ts'
import { targetNames } from '../session/target-names.ts'
import { targetGraph } from '../session/targets.ts'

export const summary = 'show what a deploy would do and why, touching nothing'
export const feature = 'CLI_PLAN'
export const options = z.strictObject({
  version: z.string().optional().describe('as for deploy').meta({ value: '<tag>' }),
  offline: z.boolean().default(false).describe('ask no host, registry or database'),
  host: z.array(z.string()).optional().describe('as for deploy: only these hosts').meta({ value: '<a,b>' }),
  role: z.array(z.string()).optional().describe('as for deploy: only hosts with these roles').meta({ value: '<a,b>' }),
  services: z.array(z.string()).optional().describe('as for deploy: roll only these services').meta({ value: '<a,b>' }),
  allowUnreachable: fleetOptions.shape.allowUnreachable.describe('as for deploy: leave out hosts that do not answer'),
  out: z.string().optional().describe('keep the plan in a file, for `deploy --plan`').meta({ value: '<file>' }),
  format: z.enum(['text', 'json']).default('text').describe('how to print it'),
})
export const examples = [
  'stagecraft plan --env prod',
  'stagecraft plan --env prod --format json',
  'stagecraft plan --env prod --offline',
  'stagecraft plan --env prod --out prod.plan.json',
  'stagecraft plan --env prod --host node-2 --allow-unreachable',
]

const positionals = z.strictObject({
  target: z.array(z.string()).default([]).describe('targets or task ids; default deploy'),
})

export { positionals as arguments, targetNames as complete }

/** What a deploy with the same flags is about. @throws InputError */
export async function run(
  { target, ...input }: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const out = input.out === undefined ? {} : { out: { file: input.out, options: keptWords(target, input) } }
  // Without asking hosts, nobody knows which do not answer.
  const words = { ...input, targets: target, allowUnreachable: input.allowUnreachable && !input.offline }
  const project = await openPart(words, { ...globals, dryRun: true }, app)
  const targets = targetGraph(project.targets, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  return showPlan(targets.value, project, { format: input.format, online: !input.offline, force: () => false, ...out }, globals, app)
}

/** @throws InputError for a plan that nobody could be held to. */
function keptWords(target: readonly string[], input: z.output<typeof options>): SavedPlan['options'] {
  const problem = target.some((word) => word !== 'deploy')
    ? 'is for the plan of a whole deploy: leave out the targets'
    : input.offline
      ? 'and `--offline` cannot be given together: a plan that is carried out knows what is on the hosts'
      : undefined
  if (problem !== undefined) throw new InputError([{ code: 'SC3076', severity: 'error', message: `\`--out\` ${problem}` }])
  const { version, host, role, services, allowUnreachable } = input
  return {
    ...(version === undefined ? {} : { version }),
    ...(host === undefined ? {} : { host }),
    ...(role === undefined ? {} : { role }),
    ...(services === undefined ? {} : { services }),
    allow_unreachable: allowUnreachable,
  }
}
