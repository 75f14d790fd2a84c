import { z } from 'zod'
import { type App, type ExitCode, type GlobalOptions, InputError } from '../contracts.ts'
import { explainTask } from '../session/explain-task.ts'
import { openProject } from '../session/open-project.ts'
import { taskIds } from '../session/target-names.ts'
import { targetGraph, taskIdOf } from '../session/targets.ts'

export const summary = 'say what a task is made from, and what changed since it last ran'
export const feature = 'CLI_EXPLAIN'
export const options = z.strictObject({
  offline: z.boolean().default(false).describe('ask no host, registry or database'),
  format: z.enum(['text', 'json']).default('text').describe('how to print it'),
})
export const examples = [
  'stagecraft explain test',
  'stagecraft explain build:api --env prod',
  'stagecraft explain rollout:web@node-1 --env prod',
]

const positionals = z.strictObject({ task: z.string().describe('a task of yours by name, or any by its id') })

export { positionals as arguments, taskIds as complete }

export async function run(
  input: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const project = await openProject(globals, app, { targets: [input.task] })
  const targets = targetGraph([input.task], project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  const id = taskIdOf(input.task, new Set(targets.value.order))
  if (id === undefined) {
    const message = `\`${input.task}\` is a target, not a task: explain one of ${targets.value.order.slice(0, 5).join(', ')}, …`
    throw new InputError([{ code: 'SC3104', severity: 'error', message }])
  }
  return explainTask(id, targets.value, project, { format: input.format, online: !input.offline }, globals, app)
}
