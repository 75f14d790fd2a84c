/** Gathers what comes in quick succession: an editor saves in several steps, a checkout writes for a second. */
export interface Bursts {
  add(path: string): void
  /** Resolves with a burst that is over, at once if one is waiting. */
  next(): Promise<readonly string[]>
  /** What came so far, over or not; forgets it. */
  take(): readonly string[]
  close(): void
}

export interface BurstTimes {
  /** A burst is over when nothing came for this long, */
  readonly quietMs: number
  /** or when it has lasted for this long. */
  readonly longestMs: number
}

export const burstTimes: BurstTimes = { quietMs: 80, longestMs: 1000 }

export function gatherBursts({ quietMs, longestMs }: BurstTimes = burstTimes): Bursts {
  let paths = new Set<string>()
  let isOver = false
  let quiet: NodeJS.Timeout | undefined
  let longest: NodeJS.Timeout | undefined
  let listener: ((paths: readonly string[]) => void) | undefined

  const clear = () => {
    clearTimeout(quiet)
    clearTimeout(longest)
    longest = undefined
  }
  const take = () => {
    clear()
    const taken = [...paths].sort()
    paths = new Set()
    isOver = false
    return taken
  }
  const end = () => {
    clear()
    isOver = true
    const tell = listener
    listener = undefined
    tell?.(take())
  }
  return {
    add(path) {
      paths.add(path)
      clearTimeout(quiet)
      quiet = setTimeout(end, quietMs)
      longest ??= setTimeout(end, longestMs)
    },
    next: () =>
      new Promise((resolve) => {
        if (isOver && paths.size > 0) resolve(take())
        else listener = resolve
      }),
    take,
    close: clear,
  }
}
