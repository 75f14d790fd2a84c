/** A binary min-heap of numbers: hands out the smallest waiting one first, in O(log n). */
export class ReadyQueue {
  readonly #heap: number[] = []

  push(value: number): void {
    const heap = this.#heap
    let index = heap.push(value) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as number
      if (above <= value) break
      heap[index] = above
      index = parent
    }
    heap[index] = value
  }

  /** The smallest value, removed; undefined when nothing waits. */
  pop(): number | undefined {
    const heap = this.#heap
    const smallest = heap[0]
    const moved = heap.pop()
    if (moved === undefined || heap.length === 0) return smallest
    let index = 0
    while (true) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++
      const below = heap[child] as number
      if (below >= moved) break
      heap[index] = below
      index = child
    }
    heap[index] = moved
    return smallest
  }
}
