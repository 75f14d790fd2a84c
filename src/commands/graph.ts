import { z } from 'zod'
import { kinds } from '../../tasks/index.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { drawGraph } from '../session/draw-graph.ts'
import { openProject } from '../session/open-project.ts'
import { targetNames } from '../session/target-names.ts'
import { targetGraph } from '../session/targets.ts'
import { writeResult } from '../session/write-result.ts'
import { renderTable } from '../ui/table.ts'

export const summary = 'draw the task graph'
export const feature = 'CLI_GRAPH'
export const options = z.strictObject({
  format: z.enum(['tree', 'dot', 'mermaid', 'json', 'html']).default('tree').describe('how to draw it; html is a page to explore'),
  out: z.string().optional().describe('write it to this file').meta({ value: '<file>' }),
  state: z.boolean().optional().describe('predict each task, as plan does; html does unless told not to'),
  online: z.boolean().default(false).describe('ask hosts, registries and databases too'),
  kinds: z.boolean().default(false).describe('list the kinds of task instead'),
})
export const examples = [
  'stagecraft graph --env prod',
  'stagecraft graph build --env prod',
  'stagecraft graph --env prod --format html --out graph.html',
  'stagecraft graph --env prod --format dot | dot -Tsvg > graph.svg',
]

const positionals = z.strictObject({
  target: z.array(z.string()).default([]).describe('targets or task ids; default deploy, or all tasks of yours'),
})

export { positionals as arguments, targetNames as complete }

/** A page is made for looking at where things stand; a drawing is often made to be kept. */
const hasStates = (format: string, state: boolean | undefined, online: boolean) => state ?? (format === 'html' || online)

export async function run(
  input: z.output<typeof positionals> & z.output<typeof options>,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  if (input.kinds) {
    app.stdout.write(kindTable())
    return exitCodes.done
  }
  const { format, out, online } = input
  if (format === 'html' && out === undefined && app.stdout.isTTY) throw pageOnTerminal()
  const project = await openProject(globals, app, { targets: input.target })
  const targets = targetGraph(project.targets, project.graph, project.pipelines)
  if (!targets.ok) throw new InputError(targets.diagnostics)
  const drawn = await drawGraph(targets.value, project, { form: format, states: hasStates(format, input.state, online), online }, app)
  writeResult(drawn.text, out, app)
  return drawn.isBlind ? exitCodes.world : exitCodes.done
}

function pageOnTerminal(): InputError {
  const message = 'a page is not for a terminal: write it to a file with `--out graph.html`, or redirect it'
  return new InputError([{ code: 'SC3108', severity: 'error', message }])
}

function kindTable(): string {
  const rows = [...kinds.values()].map((kind) => [kind.name, kind.phase ?? '-', kind.freshness, kind.summary])
  return renderTable(['KIND', 'PHASE', 'FRESH BY', 'WHAT IT DOES'], rows)
}
