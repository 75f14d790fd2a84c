/** What the page of a graph is given: plain data, written by `graph-page.ts` and read by the script in `page/`. */

/** What is predicted of a task. */
export type PageState = 'fresh' | 'run' | 'may-run' | 'unknown'

export interface PageData {
  /** What was drawn: project and environment. */
  readonly title: string
  readonly size: readonly [width: number, height: number]
  /** In graph order; everything else names tasks by their index here. */
  readonly tasks: readonly PageTask[]
  readonly edges: readonly PageEdge[]
  /** False when nothing was predicted (`--no-state`). */
  readonly hasStates: boolean
  /** ISO 8601, UTC: the end of the last run that did something. */
  readonly lastRunAt: string | null
  readonly critical: CriticalChain
  /** Names of files, variables and settings, each once: parts of tasks are indices here. */
  readonly names: readonly string[]
}

export interface CriticalChain {
  /** From first to last. */
  readonly tasks: readonly number[]
  /** Null when no duration is known and every task weighs the same. */
  readonly durationMs: number | null
  /** Tasks of the graph that have no known duration and weigh nothing. */
  readonly unweighed: number
}

export interface PageTask {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly hosts: readonly string[]
  /** Left edge, middle of the height, width. */
  readonly box: readonly [x: number, y: number, width: number]
  readonly state: PageState | null
  /** Why it is in that state; a sentence fragment. */
  readonly reason: string
  /** On whose word it is skipped. */
  readonly freshBy: string
  readonly fingerprint: string | null
  /** Where what it is made from was last written down: nothing to compare with when it never finished here. */
  readonly ranBefore: boolean
  /** What it is made from, or was when it last finished, if that cannot be known before something else has run. */
  readonly parts: readonly PageParts[]
  readonly timing: PageTiming | null
  /** `stagecraft.yml:12` */
  readonly origin: string | null
}

export type PagePart = 'kind' | 'params' | 'env' | 'secret' | 'file' | 'need'

export interface PageParts {
  readonly part: PagePart
  /** Pairs of a name's index and how it changed. */
  readonly changed: readonly (readonly [name: number, change: 'changed' | 'added' | 'removed'])[]
  readonly same: readonly number[]
  /** Names that were left out of `changed` and `same`, for the page's size. */
  readonly more: number
}

export interface PageTiming {
  readonly status: 'ran' | 'skipped' | 'failed' | 'canceled'
  readonly startMs: number
  readonly durationMs: number
  readonly ranMs: number | null
  readonly because: string | null
  /** Set when it is from a run before the last. */
  readonly finishedAt: string | null
}

/** From what is waited for, to what waits; 1 for order-only; then x and y of each point between the boxes. */
export type PageEdge = readonly [from: number, to: number, orderOnly: 0 | 1, ...points: number[]]
