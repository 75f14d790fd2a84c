/** What can be told of every task of a graph without touching anything: for drawings. */
import { compareActions } from '../../graph/explain.ts'
import { fingerprint } from '../../graph/fingerprint.ts'
import type { TaskState } from '../../graph/forms/form.ts'
import type { TaskGraph, TaskId } from '../../graph/types.ts'
import type { App, Prediction } from '../contracts.ts'
import { predict } from '../predict.ts'
import type { AboutTask } from '../ui/html/graph-page.ts'
import type { Project } from './open-project.ts'
import { openWorld } from './open-world.ts'

export type ForetoldTask = Pick<AboutTask, 'fingerprint' | 'ranBefore' | 'parts'> & { readonly state: TaskState }

export interface Foretold {
  readonly tasks: ReadonlyMap<TaskId, ForetoldTask>
  redact(text: string): string
}

/** @param online false: no host, registry or database is asked, and what only they know is unknown. */
export async function foretell(graph: TaskGraph, project: Project, online: boolean, app: App): Promise<Foretold> {
  const world = await openWorld(project, app, { graph, online, writes: false })
  try {
    const predicted = await predict(graph, { ...world.forPlan, kinds: world.kinds, force: () => false, online })
    const tasks = new Map<TaskId, ForetoldTask>()
    for (const [id, { prediction, action }] of predicted) {
      const last = await world.forPlan.log.last(id)
      // While a need's result is not known, what it was made from last is the best there is to show.
      const now = action ?? last
      tasks.set(id, {
        state: { name: prediction.state, detail: world.redact(reasonOf(prediction, online)) },
        ranBefore: last !== undefined,
        parts: now ? compareActions(last ?? now, now) : [],
        ...(action ? { fingerprint: fingerprint(action) } : {}),
      })
    }
    return { tasks, redact: world.redact }
  } finally {
    await world.close()
  }
}

/** Why a task is in its state, as a sentence fragment. */
function reasonOf(prediction: Prediction, online: boolean): string {
  switch (prediction.state) {
    case 'run':
      return prediction.because.detail
    case 'may-run':
      return `waits for ${prediction.waitsFor}`
    case 'fresh':
      return prediction.detail
    case 'unknown':
      return online ? prediction.message : 'its target was not asked'
  }
}
