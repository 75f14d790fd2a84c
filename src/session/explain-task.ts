/** `stagecraft explain`: what a task's fingerprint is made of, which part changed, and what its target says. Never a secret's value. */
import { type Comparison, compareActions } from '../../graph/explain.ts'
import { fingerprint } from '../../graph/fingerprint.ts'
import type { ActionResult, JsonObject, Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, type Prediction } from '../contracts.ts'
import { type Predicted, predict } from '../predict.ts'
import { renderExplanation } from '../ui/explanation.ts'
import { decideColor } from '../ui/terminal.ts'
import { readLastRun, type TaskTiming } from './last-run.ts'
import type { Project } from './open-project.ts'
import { openWorld, type World } from './open-world.ts'
import { type OutputChange, outputChanges } from './output-changes.ts'
import { serviceWords } from './service-words.ts'

export interface ExplainOptions {
  readonly format: 'text' | 'json'
  readonly online: boolean
}

export interface TaskExplanation {
  readonly id: TaskId
  readonly kind: string
  readonly title: string
  readonly freshness: string
  readonly prediction: Prediction
  readonly fingerprint?: string
  /** False when it never finished in this checkout: then there is nothing to compare with. */
  readonly ranBefore: boolean
  /** Each part of the fingerprint beside what it was when the task last finished here. */
  readonly parts: readonly Comparison[]
  /** Its files in the project that are not as it left them. */
  readonly outputs: readonly OutputChange[]
  /** Where a result of this fingerprint is: in which caches, and whether its files are in the project. Empty: nowhere. */
  readonly storedIn: readonly string[]
  /** How a task that keeps running is judged. */
  readonly service?: string
  /** Needs that ran again in the last run and made what they had made before, so that this task had nothing to do in it. */
  readonly sparedBy: readonly TaskId[]
  readonly lastRun?: TaskTiming
}

export async function explainTask(
  id: TaskId,
  graph: TaskGraph,
  project: Project,
  options: ExplainOptions,
  globals: GlobalOptions,
  app: App,
): Promise<ExitCode> {
  const world = await openWorld(project, app, { graph, online: options.online, writes: false })
  try {
    const predicted = await predict(graph, { ...world.forPlan, kinds: world.kinds, force: () => false, online: options.online })
    const explanation = await explained(graph.task(id), predicted.get(id), world, project)
    const text =
      options.format === 'json'
        ? `${JSON.stringify(explanationJson(explanation), null, 2)}\n`
        : renderExplanation(explanation, { color: decideColor(globals.color, app.env, app.stdout), verbose: globals.verbose })
    app.stdout.write(world.redact(text))
    return explanation.prediction.state === 'unknown' && options.online ? exitCodes.world : exitCodes.done
  } finally {
    await world.close()
  }
}

async function explained(task: Task, found: Predicted | undefined, world: World, { directory }: Project): Promise<TaskExplanation> {
  const kind = world.kinds.get(task.kind)
  if (!found || !kind) throw new Error(`${task.id} was not predicted`)
  const { action, prediction } = found
  const last = await world.forPlan.log.last(task.id)
  const stored = action ? await storedResult(fingerprint(action), world) : undefined
  const outputs = stored && kind.restore ? await outputChanges(directory, kind.writes?.(task.params) ?? [], stored.result) : []
  const service = kind.isService?.(task.params) ? serviceWords(task.params) : undefined
  const timings = readLastRun(directory)?.tasks
  const lastRun = timings?.get(task.id)
  return {
    id: task.id,
    kind: kind.name,
    title: kind.title(task.params),
    freshness: kind.freshness,
    prediction,
    ...(action ? { fingerprint: fingerprint(action) } : {}),
    ranBefore: last !== undefined,
    // Compared with itself, every part is listed as unchanged.
    parts: action ? compareActions(last ?? action, action) : [],
    outputs,
    storedIn: [...(stored?.caches ?? []), ...(hasFilesInPlace(kind, stored?.result, outputs) ? ['project'] : [])],
    ...(service === undefined ? {} : { service }),
    sparedBy: prediction.state === 'fresh' && lastRun ? sparedBy(task.needs, lastRun, timings ?? new Map()) : [],
    ...(lastRun ? { lastRun } : {}),
  }
}

function sparedBy(needs: readonly TaskId[], own: TaskTiming, timings: ReadonlyMap<TaskId, TaskTiming>): readonly TaskId[] {
  if (own.status !== 'skipped' || own.restored) return []
  return needs.filter((id) => {
    const need = timings.get(id)
    return need?.status === 'ran' && need.finishedAt === own.finishedAt
  })
}

async function storedResult(
  key: ReturnType<typeof fingerprint>,
  { forPlan }: World,
): Promise<{ readonly result: ActionResult; readonly caches: readonly string[] } | undefined> {
  const found: { readonly name: string; readonly result: ActionResult }[] = []
  for (const { name, actions } of forPlan.caches) {
    const result = await actions.get(key)
    if (result) found.push({ name, result })
  }
  const [first] = found
  return first && { result: first.result, caches: found.map(({ name }) => name) }
}

function hasFilesInPlace(kind: TaskKind, result: ActionResult | undefined, outputs: readonly OutputChange[]): boolean {
  if (!result || !kind.restore || outputs.length > 0) return false
  return Object.keys(result.files).length + Object.keys(result.links ?? {}).length > 0
}

/** Schema: spec/commands/explain.md. Members are added, never changed. */
function explanationJson(explanation: TaskExplanation): JsonObject {
  return { schema_version: 1, ...(explanation as unknown as JsonObject) }
}
