import type { Timed } from './merge-by-time.ts'

/**
 * Lines that come as they happen on several hosts, put in order as far as waiting a moment can. Pure but for its memory: the caller says what
 * time it is.
 */
export class ReorderWindow<T extends Timed> {
  readonly #windowMs: number
  #held: { readonly line: T; readonly arrivedMs: number; readonly place: number }[] = []
  #count = 0

  /** How long a line is held back for others to come before it. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  get size(): number {
    return this.#held.length
  }

  add(lines: readonly T[], nowMs: number): void {
    for (const line of lines) this.#held.push({ line, arrivedMs: nowMs, place: this.#count++ })
  }

  /** When the next line has been held long enough; undefined when there is none. */
  get nextMs(): number | undefined {
    // They are kept in the order in which they came.
    const first = this.#held[0]
    return first && first.arrivedMs + this.#windowMs
  }

  /** Lines that were held long enough, and those that came later but belong before them; sorted. */
  take(nowMs: number): readonly T[] {
    let last: string | undefined
    for (const { line, arrivedMs } of this.#held) {
      if (arrivedMs + this.#windowMs > nowMs) break
      if (last === undefined || line.at > last) last = line.at
    }
    if (last === undefined) return []
    const upTo = last
    const ready = this.#held.filter(({ line }) => line.at <= upTo)
    this.#held = this.#held.filter(({ line }) => line.at > upTo)
    // Lines of one source may have the same time, and stay in the order they came in.
    ready.sort((a, b) => (a.line.at < b.line.at ? -1 : a.line.at > b.line.at ? 1 : a.place - b.place))
    return ready.map(({ line }) => line)
  }

  /** Everything, sorted. */
  flush(): readonly T[] {
    return this.take(Number.POSITIVE_INFINITY)
  }
}
