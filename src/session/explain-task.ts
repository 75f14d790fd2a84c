/** `stagecraft explain`: what a task's fingerprint is made of, which part changed, and what its target says. Never a secret's value. */
import { compareActions } from '../../graph/explain.ts'
import { fingerprint } from '../../graph/fingerprint.ts'
import type { Action, JsonObject, TaskGraph, TaskId } from '../../graph/types.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, type Prediction } from '../contracts.ts'
import { predict } from '../predict.ts'
import { renderExplanation } from '../ui/explanation.ts'
import { decideColor } from '../ui/terminal.ts'
import type { Project } from './open-project.ts'
import { openWorld } from './open-world.ts'

export interface ExplainOptions {
  readonly format: 'text' | 'json'
  readonly online: boolean
}

/** One part of a fingerprint beside what it was when the task last finished here. */
export interface ExplainedPart {
  readonly part: string
  readonly name: string
  readonly change: 'changed' | 'added' | 'removed' | 'same'
}

export interface TaskExplanation {
  readonly id: TaskId
  readonly kind: string
  readonly freshness: string
  readonly prediction: Prediction
  readonly fingerprint?: string
  /** False when it never finished in this checkout: then there is nothing to compare with. */
  readonly ranBefore: boolean
  readonly parts: readonly ExplainedPart[]
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
    const found = predicted.get(id)
    const task = graph.task(id)
    const kind = world.kinds.get(task.kind)
    if (!found || !kind) throw new Error(`${id} was not predicted`)
    const last = await world.forPlan.log.last(id)
    const explanation: TaskExplanation = {
      id,
      kind: kind.name,
      freshness: kind.freshness,
      prediction: found.prediction,
      ...(found.action ? { fingerprint: fingerprint(found.action) } : {}),
      ranBefore: last !== undefined,
      parts: found.action ? partsOf(last, found.action) : [],
    }
    const text =
      options.format === 'json'
        ? `${JSON.stringify(explanationJson(explanation), null, 2)}\n`
        : renderExplanation(explanation, decideColor(globals.color, app.env, app.stdout))
    app.stdout.write(world.redact(text))
    return found.prediction.state === 'unknown' && options.online ? exitCodes.world : exitCodes.done
  } finally {
    await world.close()
  }
}

function partsOf(last: Action | undefined, action: Action): readonly ExplainedPart[] {
  // Compared with itself, every part is listed as unchanged.
  return compareActions(last ?? action, action)
}

function explanationJson(explanation: TaskExplanation): JsonObject {
  const { prediction, parts, ...rest } = explanation
  return { schema_version: 1, ...rest, prediction: prediction as unknown as JsonObject, parts: parts.map((part) => ({ ...part })) }
}
