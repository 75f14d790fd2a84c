/** At most `width` pieces of work at once; the rest wait in order of arrival. */
export function createSlots(width: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work) => {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      // A waiter takes over this slot, so the count only falls when nobody waits.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
