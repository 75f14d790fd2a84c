/** What is on a terminal for good: a line per task that ran, and what those printed that were asked for by name. */
import type { TaskGraph, TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import type { History } from './history.ts'
import { createPrefix, HeldLines, type Prefix } from './output-text.ts'
import type { Paint } from './paint.ts'
import { finalLine, startLine } from './row-text.ts'
import { styledLine } from './task-line.ts'
import type { ViewOptions } from './view.ts'

export class Screen {
  readonly #write: (text: string) => void
  readonly #options: ViewOptions
  readonly #history: History
  readonly #paint: Paint
  readonly #isResultBelow: boolean
  #settleAlone = (): void => undefined
  /** Lines of tasks that were asked for and have not had the screen yet. */
  readonly #held = new Map<TaskId, HeldLines>()
  readonly #toTell = new Set<TaskId>()
  readonly #shown = new Set<TaskId>()
  /** Unfinished tasks: id → whether it is one that only ends when it is told to. Services that merely serve others are left out. */
  readonly #open = new Map<TaskId, boolean>()
  #asked: ReadonlySet<TaskId> = new Set()
  #prefix: Prefix | undefined
  #mode: 'waiting' | 'list' | 'streaming' = 'waiting'
  #isFirstTold = false

  /** @param isResultBelow the summary follows on the same screen. */
  constructor(write: (text: string) => void, options: ViewOptions, history: History, paint: Paint, isResultBelow: boolean) {
    this.#write = write
    this.#isResultBelow = isResultBelow
    this.#options = options
    this.#history = history
    this.#paint = paint
  }

  /** Resolves once all that is left was asked for: at most one task, and services. */
  readonly alone = new Promise<void>((resolve) => {
    this.#settleAlone = resolve
  })

  /** Whether everything that a task printed is on the screen. */
  hasShown(id: TaskId): boolean {
    return this.#shown.has(id)
  }

  begin(graph: TaskGraph): void {
    const { asked = new Set<TaskId>(), isService, output } = this.#options
    if (output === undefined) this.#asked = graph.order.length === 1 ? new Set(graph.order) : asked
    for (const id of graph.order) {
      const isEndless = isService?.(graph.task(id)) ?? false
      if (!isEndless || this.#asked.has(id)) this.#open.set(id, isEndless)
    }
    if (this.#asked.size > 1) this.#prefix = createPrefix([...this.#asked], this.#paint)
    this.#look()
  }

  on(event: RunEvent): void {
    const { id } = event.task
    if (event.type === 'output') {
      this.#hear(id, event.line)
      return
    }
    if (event.type === 'finished') {
      this.#open.delete(id)
      this.#toTell.add(id)
    }
    if (this.#mode === 'streaming') this.#say(event.type === 'started' ? this.#startLines(id) : this.#endLines())
    this.#look()
  }

  /** A live list is on the screen while `work` lasts, and nothing else may be. */
  async whileLive(work: () => Promise<void>): Promise<void> {
    if (this.#mode === 'streaming') return
    this.#mode = 'list'
    this.#look()
    await work()
    this.#mode = 'waiting'
    this.#look()
  }

  end(): void {
    this.#say(this.#endLines())
  }

  #look(): void {
    if (this.#mode === 'streaming' || !this.#isAlone()) return
    this.#settleAlone()
    if (this.#mode === 'list') return
    this.#mode = 'streaming'
    this.#say([...this.#endLines(), ...[...this.#open.keys()].flatMap((id) => this.#startLines(id))])
  }

  #isAlone(): boolean {
    const open = [...this.#open]
    return open.length > 0 && open.every(([id]) => this.#asked.has(id)) && open.filter(([, isEndless]) => !isEndless).length <= 1
  }

  #hear(id: TaskId, line: string): void {
    if (!this.#asked.has(id)) return
    const text = this.#prefixed(id, styledLine(line, this.#options.color))
    if (this.#mode === 'streaming') {
      this.#say([text])
      return
    }
    const lines = this.#held.get(id) ?? new HeldLines()
    this.#held.set(id, lines)
    lines.add(text)
  }

  #prefixed(id: TaskId, line: string): string {
    return this.#prefix === undefined ? line : this.#prefix(id, line)
  }

  #startLines(id: TaskId): readonly string[] {
    const row = this.#history.row(id)
    if (row?.startedAt === undefined) return []
    return [...this.#firstLines(), startLine(row, this.#options, this.#paint), ...this.#heldLines(id)]
  }

  #endLines(): readonly string[] {
    const rows = [...this.#toTell].flatMap((id) => this.#history.row(id) ?? [])
    this.#toTell.clear()
    const lines = rows.flatMap((row) => {
      // Its output is right above, and the block that explains it right below.
      if (row.outcome?.status === 'failed' && this.#mode === 'streaming' && this.#shown.has(row.task.id) && this.#isResultBelow) return []
      const line = finalLine(row, this.#options, this.#paint, this.#mode === 'streaming' && this.#shown.has(row.task.id))
      return line === undefined ? [] : [line, ...this.#heldLines(row.task.id)]
    })
    return lines.length === 0 ? [] : [...this.#firstLines(), ...lines]
  }

  #heldLines(id: TaskId): readonly string[] {
    if (this.#asked.has(id)) this.#shown.add(id)
    const lines = this.#held.get(id)?.take() ?? []
    this.#held.delete(id)
    return lines
  }

  /** Once, in the place of a reason on every line. */
  #firstLines(): readonly string[] {
    if (!this.#options.isFirstRun || this.#isFirstTold) return []
    this.#isFirstTold = true
    return [this.#paint.dim('no results in this checkout yet')]
  }

  #say(lines: readonly string[]): void {
    if (lines.length > 0) this.#write(`${lines.join('\n')}\n`)
  }
}
