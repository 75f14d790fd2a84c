/** Several streams of lines, each in order, as one that is in order. */

export interface Timed {
  /** Sorts as text. */
  readonly at: string
}

interface Head<T> {
  readonly iterator: AsyncIterator<readonly T[]>
  lines: readonly T[]
  index: number
}

/**
 * Merges by time, lines of the same moment in the order of the sources. Holds one piece of each source and asks for the next when it is used up,
 * so that whoever reads slowly slows the sources.
 * @returns pieces of lines of one source each.
 */
export async function* mergeByTime<T extends Timed>(sources: readonly AsyncIterable<readonly T[]>[]): AsyncGenerator<readonly T[]> {
  const opened = sources.map((source): Head<T> => ({ iterator: source[Symbol.asyncIterator](), lines: [], index: 0 }))
  const filled = await Promise.all(opened.map(async (head) => ((await refill(head)) ? [head] : [])))
  let heads = filled.flat()
  while (heads.length > 0) {
    const first = heads.reduce((least, head) => (timeOf(head) < timeOf(least) ? head : least))
    const position = heads.indexOf(first)
    const start = first.index
    // As long as nobody else's turn has come.
    while (
      first.index < first.lines.length &&
      heads.every((head, other) => head === first || precedes(timeOf(first), timeOf(head), position < other))
    )
      first.index++
    yield first.lines.slice(start, first.index)
    if (first.index === first.lines.length && !(await refill(first))) heads = heads.filter((head) => head !== first)
  }
}

function precedes(time: string, other: string, isEarlier: boolean): boolean {
  return time < other || (time === other && isEarlier)
}

function timeOf<T extends Timed>({ lines, index }: Head<T>): string {
  return lines[index]?.at ?? ''
}

async function refill<T>(head: Head<T>): Promise<boolean> {
  do {
    const { done, value } = await head.iterator.next()
    if (done) return false
    head.lines = value
    head.index = 0
  } while (head.lines.length === 0)
  return true
}
