/** What a task takes while it runs: one slot in each of its pools, all at once or none, so that nobody waits while holding one. */
export interface Claim {
  readonly pools: readonly string[]
  /** Who goes first: the lowest. No two are equal. */
  readonly rank: number
}

interface Waiting {
  readonly claim: Claim
  readonly grant: () => void
}

/** Gives slots to those who wait, by rank. */
export class Slots {
  readonly #free = new Map<string, number>()
  readonly #widthOfPool: (pool: string) => number
  /** Claims of the same pools wait in one heap: when its first cannot have its slots, none of it can. */
  readonly #waiting = new Map<string, Waiting[]>()
  #isGranting = false

  constructor(widthOf: (pool: string) => number) {
    this.#widthOfPool = widthOf
  }

  acquire(claim: Claim): Promise<void> {
    return new Promise((grant) => {
      const key = claim.pools.join('\n')
      let heap = this.#waiting.get(key)
      if (heap === undefined) {
        heap = []
        this.#waiting.set(key, heap)
      }
      push(heap, { claim, grant })
      this.#grantSoon()
    })
  }

  release(claim: Claim): void {
    for (const pool of claim.pools) this.#free.set(pool, this.#freeIn(pool) + 1)
    this.#grantSoon()
  }

  /** How many may have their slots at a time in the first of a claim's pools. */
  widthOf({ pools: [pool = ''] }: Claim): number {
    return this.#widthOfPool(pool)
  }

  /** The lowest rank among those who wait for a slot of these pools; infinite when nobody does. */
  firstRank({ pools }: Claim): number {
    let first = Number.POSITIVE_INFINITY
    for (const heap of this.#waiting.values())
      if (heap[0]?.claim.pools.some((pool) => pools.includes(pool))) first = Math.min(first, heap[0].claim.rank)
    return first
  }

  /** After all that happens in this turn: of those that become ready together, the first by rank goes first. */
  #grantSoon(): void {
    if (this.#isGranting) return
    this.#isGranting = true
    queueMicrotask(() => {
      this.#isGranting = false
      for (let heap = this.#next(); heap !== undefined; heap = this.#next()) {
        const first = pop(heap)
        if (first === undefined) return
        for (const pool of first.claim.pools) this.#free.set(pool, this.#freeIn(pool) - 1)
        first.grant()
      }
    })
  }

  #next(): Waiting[] | undefined {
    let best: Waiting[] | undefined
    for (const heap of this.#waiting.values()) {
      const [first] = heap
      if (first === undefined || first.claim.pools.some((pool) => this.#freeIn(pool) < 1)) continue
      if (best === undefined || first.claim.rank < (best[0]?.claim.rank ?? 0)) best = heap
    }
    return best
  }

  #freeIn(pool: string): number {
    const free = this.#free.get(pool)
    if (free !== undefined) return free
    const width = this.#widthOfPool(pool)
    if (!Number.isInteger(width) || width < 1) throw new RangeError(`the pool ${pool} needs a width of at least 1, not ${width}`)
    this.#free.set(pool, width)
    return width
  }
}

/** A binary heap, the lowest rank first. */
function push(heap: Waiting[], item: Waiting): void {
  heap.push(item)
  for (let at = heap.length - 1; at > 0; ) {
    const above = (at - 1) >> 1
    if (!swapIfLower(heap, at, above)) return
    at = above
  }
}

function pop(heap: Waiting[]): Waiting | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return first
  heap[0] = last
  for (let at = 0; ; ) {
    const left = 2 * at + 1
    const lower = rankAt(heap, left + 1) < rankAt(heap, left) ? left + 1 : left
    if (!swapIfLower(heap, lower, at)) return first
    at = lower
  }
}

function rankAt(heap: readonly Waiting[], at: number): number {
  return heap[at]?.claim.rank ?? Number.POSITIVE_INFINITY
}

/** @returns whether the one at `below` has to stand above the one at `above`, and now does. */
function swapIfLower(heap: Waiting[], below: number, above: number): boolean {
  const [low, high] = [heap[below], heap[above]]
  if (low === undefined || high === undefined || low.claim.rank >= high.claim.rank) return false
  heap[above] = low
  heap[below] = high
  return true
}
