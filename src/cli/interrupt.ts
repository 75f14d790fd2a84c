import { setMaxListeners } from 'node:events'

/** Why `App.signal` aborted: someone wants us to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly by: string
  constructor(by: string) {
    super(`interrupted by ${by}`)
    this.by = by
  }
}

/** The part of `process` that tells of signals and of errors nobody awaited. */
export interface EventSource {
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
}

export interface Interrupt {
  readonly signal: AbortSignal
  /** Errors thrown where nobody waited: they cancel the run too, whose clean-up is worth having, and are bugs of ours. */
  readonly strays: readonly unknown[]
  /** Gives the events back to Node. */
  dispose(): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The first signal cancels, and whoever runs cleans up; the second leaves at once. */
export function listenForInterrupt(source: EventSource, say: (line: string) => void, leave: () => void): Interrupt {
  const controller = new AbortController()
  // Every operation on every host listens while it is under way; Node would take more than ten for a leak.
  setMaxListeners(0, controller.signal)
  const strays: unknown[] = []
  let interrupts = 0
  const interrupt = (name: unknown) => {
    interrupts++
    if (interrupts > 1) return leave()
    say('stopping: waiting for clean-up; interrupt again to leave at once')
    controller.abort(new Interrupted(String(name)))
  }
  const stray = (error: unknown) => {
    strays.push(error)
    controller.abort(error)
  }
  for (const name of signals) source.on(name, interrupt)
  source.on('uncaughtException', stray)
  return {
    signal: controller.signal,
    strays,
    dispose: () => {
      for (const name of signals) source.off(name, interrupt)
      source.off('uncaughtException', stray)
    },
  }
}
