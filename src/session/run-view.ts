/** Which view shows a run, and what it is told beforehand. */
import type { Cache } from '../../cache/cache.ts'
import type { Digest, TaskGraph, TaskId } from '../../graph/types.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import { createView } from '../ui/create-view.ts'
import { decideColor } from '../ui/terminal.ts'
import type { View } from '../ui/view.ts'
import type { World } from './open-world.ts'
import type { RunInput } from './run-targets.ts'
import { taskIdOf } from './targets.ts'

/** The view that the flags and the streams ask for. */
export async function viewOf(
  input: Pick<RunInput, 'targets' | 'format' | 'explain' | 'output'>,
  graph: TaskGraph,
  globals: GlobalOptions,
  world: World,
  app: App,
): Promise<View> {
  const view = createView(input.format, app, {
    color: decideColor(globals.color, app.env, app.stderr),
    resultColor: decideColor(globals.color, app.env, app.stdout),
    verbose: globals.verbose,
    quiet: globals.quiet,
    explain: input.explain,
    asked: askedByName(input.targets, graph),
    isFirstRun: await isFirstOf(graph, world),
    isService: ({ kind, params }) => world.kinds.get(kind)?.isService?.(params) ?? false,
    ...(input.output === undefined ? {} : { output: input.output }),
    title: world.title,
  })
  if (input.output !== 'full') return view
  const { withReplay } = await import('../ui/replay.ts')
  return withReplay(view, (log) => logLines(log, world.assessor.caches))
}

/** What words name a task, not a pipeline or something built in. */
function askedByName(words: readonly string[], graph: TaskGraph): ReadonlySet<TaskId> {
  const present = new Set(graph.order)
  return new Set(words.flatMap((word) => taskIdOf(word, present) ?? []))
}

/** Whether none of the tasks ran here before. */
async function isFirstOf(graph: TaskGraph, { assessor }: World): Promise<boolean> {
  for (const id of graph.order) if (await assessor.log.last(id)) return false
  return true
}

/** What a task printed when it ran; undefined when no cache has it any more. */
async function logLines(log: Digest, caches: readonly Cache[]): Promise<readonly string[] | undefined> {
  for (const { content } of caches) {
    const bytes = await content.read(log)
    if (bytes) return new TextDecoder().decode(bytes).replace(/\n$/, '').split('\n')
  }
  return undefined
}
