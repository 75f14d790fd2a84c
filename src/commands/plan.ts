import { z } from 'zod'
import { nearest } from '../../graph/nearest.ts'
import type { Diagnostic } from '../../graph/types.ts'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import { openProject, type Project } from '../session/open-project.ts'
import { showPlan } from '../session/show-plan.ts'
import { targetNames } from '../session/target-names.ts'
import { targetGraph } from '../session/targets.ts'

export const summary = 'show what a deploy would do and why, touching nothing'
export const feature = 'CLI_PLAN'
export const options = z.strictObject({
  version: z.string().optional().describe('as for deploy').meta({ value: '<tag>' }),
  offline: z.boolean().default(false).describe('ask no host, registry or database'),
  services: z.array(z.string()).optional().describe('only tasks of these services, and what they depend on').meta({ value: '<a,b>' }),
  format: z.enum(['text', 'json']).default('text').describe('how to print it'),
})
export const examples = ['stagecraft plan --env prod', 'stagecraft plan --env prod --format json', 'stagecraft plan --env prod --offline']

const positionals = z.strictObject({
  target: z.array(z.string()).default([]).describe('targets or task ids; default deploy'),
})

export { positionals as arguments, targetNames as complete }

export async function run(
  input: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const project = await openProject(globals, app, { version: input.version, targets: input.target })
  const words = input.services === undefined ? project.targets : tasksOf(input.services, project)
  const targets = targetGraph(words, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  return showPlan(targets.value, project, { format: input.format, online: !input.offline, force: () => false }, globals, app)
}

function tasksOf(services: readonly string[], { deployment, graph }: Project): string[] {
  const known = deployment.services.map(({ name }) => name)
  const unknown = services.filter((service) => !known.includes(service))
  if (unknown.length > 0) throw new InputError(unknown.map((service) => unknownService(service, known)))
  return graph.order.filter((id) => services.includes(id.split(':')[1]?.split('@')[0] ?? ''))
}

function unknownService(service: string, known: readonly string[]): Diagnostic {
  const suggestion = nearest(service, known)
  const message = `no service is called \`${service}\`: expected one of ${known.join(', ')}`
  return { code: 'SC3104', severity: 'error', message, ...(suggestion !== undefined && { suggestion }) }
}
