import { z } from 'zod'
import { drawDot } from '../../graph/forms/dot.ts'
import { graphJson } from '../../graph/forms/json.ts'
import { drawMermaid } from '../../graph/forms/mermaid.ts'
import { drawTree } from '../../graph/forms/tree.ts'
import type { Phase, Task, TaskGraph } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { openProject } from '../session/open-project.ts'
import { targetNames } from '../session/target-names.ts'
import { targetGraph } from '../session/targets.ts'
import { renderTable } from '../ui/table.ts'

export const summary = 'draw the task graph'
export const feature = 'CLI_GRAPH'
export const options = z.strictObject({
  format: z.enum(['tree', 'dot', 'mermaid', 'json']).default('tree').describe('how to draw it'),
  kinds: z.boolean().default(false).describe('list the kinds of task instead'),
})
export const examples = [
  'stagecraft graph --env prod',
  'stagecraft graph build --env prod',
  'stagecraft graph --env prod --format dot | dot -Tsvg > graph.svg',
]

const positionals = z.strictObject({
  target: z.array(z.string()).default([]).describe('targets or task ids; default deploy'),
})

export { positionals as arguments, targetNames as complete }

const forms: Readonly<Record<z.output<typeof options>['format'], (graph: TaskGraph) => string>> = {
  tree: (graph) => drawTree(graph),
  dot: (graph) => drawDot(graph),
  mermaid: (graph) => drawMermaid(graph),
  json: (graph) => JSON.stringify(graphJson(graph, { phaseOf }), null, 2),
}

export async function run(
  input: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  if (input.kinds) {
    app.stdout.write(kindTable())
    return exitCodes.done
  }
  const project = await openProject(globals, app, { targets: input.target })
  const targets = targetGraph(project.targets, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  app.stdout.write(`${forms[input.format](targets.value).trimEnd()}\n`)
  return exitCodes.done
}

function phaseOf(task: Task): Phase | null {
  const kind = kinds.get(task.kind)
  if (!kind) throw new Error(`no kind is called ${task.kind}`)
  return kind.phase ?? null
}

function kindTable(): string {
  const rows = [...kinds.values()].map((kind) => [kind.name, kind.phase ?? '-', kind.freshness, kind.summary])
  return renderTable(['KIND', 'PHASE', 'FRESH BY', 'WHAT IT DOES'], rows)
}
