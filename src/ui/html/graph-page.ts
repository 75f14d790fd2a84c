/** The data of a graph's page: where everything stands, and what is known of every task. Pure, and the same for the same input. */
import { criticalPath } from '../../../graph/critical-path.ts'
import type { Comparison } from '../../../graph/explain.ts'
import type { TaskState } from '../../../graph/forms/form.ts'
import type { Measures } from '../../../graph/layout/grid.ts'
import { layOut } from '../../../graph/layout/layout.ts'
import type { Task, TaskGraph, TaskId } from '../../../graph/types.ts'
import type { PageData, PagePart, PageParts, PageTask, PageTiming } from './page-data.ts'

export interface GraphPageInput {
  readonly title: string
  readonly graph: TaskGraph
  readonly aboutTask: (task: Task) => AboutTask
  readonly hasStates: boolean
  readonly lastRun: LastTimings | undefined
  /** Strikes secrets out of a text. */
  readonly redact: (text: string) => string
}

export interface AboutTask {
  readonly title: string
  readonly hosts: readonly string[]
  readonly freshBy: string
  /** Where the user asked for it; never a path of this machine. */
  readonly origin?: string
  readonly state?: TaskState
  readonly fingerprint?: string
  readonly ranBefore: boolean
  readonly parts: readonly Comparison[]
}

export interface LastTimings {
  readonly finishedAt: string
  readonly tasks: ReadonlyMap<TaskId, LastTiming>
}

interface LastTiming {
  readonly status: PageTiming['status']
  readonly startMs: number
  readonly durationMs: number
  readonly ranMs?: number
  readonly because?: string
  readonly finishedAt: string
}

/** Room for a label in its font, in pixels, and what stands beside it. */
const box = { perCharacter: 7.4, beside: 44, narrowest: 156, widest: 300 } as const
const measures: Measures = { rowHeight: 60, bendHeight: 10, columnGap: 32, layerGap: 72, margin: 48, boxWidth: 190, aspect: 1.7 }
/** Names of one sort listed with a task: a page about thousands of tasks must still open. */
const mostNames = 200

export function graphPage({ title, graph, aboutTask, hasStates, lastRun, redact }: GraphPageInput): PageData {
  const layout = layOut(graph, graph.order.map(widthOf), measures)
  const names = new Names()
  const tasks = graph.order.map((id, index): PageTask => {
    const task = graph.task(id)
    const about = aboutTask(task)
    const { x, y, width } = layout.boxes[index] ?? { x: 0, y: 0, width: 0 }
    return {
      id: redact(id),
      kind: task.kind,
      title: redact(about.title),
      hosts: about.hosts,
      box: [x, y, width],
      state: about.state?.name ?? null,
      reason: redact(about.state?.detail ?? ''),
      freshBy: about.freshBy,
      fingerprint: about.fingerprint ?? null,
      ranBefore: about.ranBefore,
      parts: partsOf(about.parts, names),
      timing: timingOf(id, lastRun, redact),
      origin: about.origin === undefined ? null : redact(about.origin),
    }
  })
  return {
    title,
    size: [layout.width, layout.height],
    tasks,
    edges: layout.routes.map(({ from, to, orderOnly, points }) => [from, to, orderOnly ? 1 : 0, ...points]),
    hasStates,
    lastRunAt: lastRun?.finishedAt ?? null,
    critical: criticalChain(graph, lastRun),
    names: names.all.map(redact),
  }
}

function widthOf(id: TaskId): number {
  return Math.round(Math.min(box.widest, Math.max(box.narrowest, id.length * box.perCharacter + box.beside)))
}

function criticalChain(graph: TaskGraph, lastRun: LastTimings | undefined): PageData['critical'] {
  const ranMs = (id: TaskId) => lastRun?.tasks.get(id)?.ranMs
  const unweighed = graph.order.filter((id) => ranMs(id) === undefined).length
  const isWeighed = unweighed < graph.order.length
  const { ids, weight } = criticalPath(graph, isWeighed ? (id) => ranMs(id) ?? 0 : () => 1)
  const indexOf = new Map(graph.order.map((id, index) => [id, index]))
  return { tasks: ids.map((id) => indexOf.get(id) ?? 0), durationMs: isWeighed ? weight : null, unweighed: isWeighed ? unweighed : 0 }
}

function timingOf(id: TaskId, lastRun: LastTimings | undefined, redact: (text: string) => string): PageTiming | null {
  const timing = lastRun?.tasks.get(id)
  if (!lastRun || !timing) return null
  return {
    status: timing.status,
    startMs: timing.startMs,
    durationMs: timing.durationMs,
    ranMs: timing.ranMs ?? null,
    because: timing.because === undefined ? null : redact(timing.because),
    finishedAt: timing.finishedAt === lastRun.finishedAt ? null : timing.finishedAt,
  }
}

const partOrder: readonly PagePart[] = ['file', 'need', 'env', 'secret', 'params', 'kind']

function partsOf(comparisons: readonly Comparison[], names: Names): PageParts[] {
  return partOrder.flatMap((part) => {
    const own = comparisons.filter((comparison) => comparison.part === part)
    // That a kind works as before is no news.
    if (own.length === 0 || (part === 'kind' && own.every(({ change }) => change === 'same'))) return []
    const changed = own.flatMap(({ name, change }) => (change === 'same' ? [] : [{ name, change }])).slice(0, mostNames)
    const same = own.filter(({ change }) => change === 'same').slice(0, mostNames)
    return [
      {
        part,
        changed: changed.map(({ name, change }) => [names.indexOf(name), change] as const),
        same: same.map(({ name }) => names.indexOf(name)),
        more: own.length - changed.length - same.length,
      },
    ]
  })
}

/** Numbers names in the order they are met: a thousand tasks that read the same files name them once. */
class Names {
  readonly all: string[] = []
  readonly #indices = new Map<string, number>()

  indexOf(name: string): number {
    const known = this.#indices.get(name)
    if (known !== undefined) return known
    this.#indices.set(name, this.all.length)
    return this.all.push(name) - 1
  }
}
