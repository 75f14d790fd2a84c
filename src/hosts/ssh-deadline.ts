export interface Limits {
  readonly timeoutMs: number
  /** What the wait ends with when the time is up. */
  readonly onTimeout: () => Error
  /** Each ends the wait with its reason, which must be an Error. */
  readonly signals: readonly AbortSignal[]
}

/**
 * Waits for `work` until a limit is reached, whichever comes first. `work` gets a signal that tells it to let go of what it
 * holds; its later outcome is ignored.
 */
export async function bounded<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
  })
  const relays = limits.signals.map((signal) => ({ signal, relay: () => controller.abort(signal.reason) }))
  for (const { signal, relay } of relays) {
    if (signal.aborted) relay()
    else signal.addEventListener('abort', relay, { once: true })
  }
  const timer = setTimeout(() => controller.abort(limits.onTimeout()), limits.timeoutMs)
  try {
    return await (controller.signal.aborted ? stopped : Promise.race([work(controller.signal), stopped]))
  } finally {
    clearTimeout(timer)
    for (const { signal, relay } of relays) signal.removeEventListener('abort', relay)
  }
}
