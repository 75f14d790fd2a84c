/** What travels along a line: bytes, and a connection's beginning and end. */
export type Parcel = Buffer | 'open' | 'end'

/** Hands on what it is given `delayMs` later, in order and at full speed: many chunks are under way at once. */
export class DelayLine {
  /** Bytes under way, for the sender to slow down by. */
  held = 0
  readonly #delayMs: number
  readonly #deliver: (chunk: Parcel) => void
  readonly #queue: { readonly due: number; readonly chunk: Parcel }[] = []
  #timer: NodeJS.Timeout | undefined
  #paused = false

  constructor(delayMs: number, deliver: (chunk: Parcel) => void) {
    this.#delayMs = delayMs
    this.#deliver = deliver
  }

  /** `notBefore` is a moment before which the chunk cannot set out: the sender waits for a handshake until then. */
  push(chunk: Parcel, notBefore = 0): void {
    const due = Math.max(performance.now(), notBefore) + this.#delayMs
    this.#queue.push({ due, chunk })
    this.held += chunk.length
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  clear(): void {
    this.pause()
    this.#queue.length = 0
    this.held = 0
  }

  #schedule(): void {
    const [first] = this.#queue
    if (this.#paused || this.#timer !== undefined || first === undefined) return
    // setTimeout rounds down to whole milliseconds, and would fire before the chunk is due.
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.ceil(first.due - performance.now())))
  }

  #flush(): void {
    this.#timer = undefined
    const now = performance.now()
    for (let [first] = this.#queue; first !== undefined && first.due <= now; [first] = this.#queue) {
      this.#queue.shift()
      this.held -= first.chunk.length
      this.#deliver(first.chunk)
    }
    this.#schedule()
  }
}
