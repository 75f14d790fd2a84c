/** Runs at most `width` pieces of work at once; the rest wait in order of arrival. */
export class Pool {
  readonly width: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(width: number) {
    if (!Number.isInteger(width) || width < 1) throw new RangeError(`a pool needs a width of at least 1, not ${width}`)
    this.width = width
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await work()
    } finally {
      // A waiter takes over this slot, so the count only falls when nobody waits.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
