/** What has passed the gate may still fall, and must not take the old version with it: new containers are watched until those they replace are gone. */
import { TaskFailure } from '../kind.ts'
import type { EngineEvent } from '../ports.ts'
import { unhealthy } from './gate.ts'
import type { Rolling } from './params.ts'
import { fallOf, turnedUnhealthy } from './watch-container.ts'

export interface Vigil {
  /** Before the first is started. The gate shares the stream, so it costs nothing while nothing happens. */
  listen(): Promise<void>
  /** It has passed the gate: from then on it must stand. */
  watch(container: string): void
  /** Fires when one of them has fallen: whoever waits need not wait on. */
  readonly fallen: AbortSignal
  /** @throws TaskFailure `unhealthy` naming the first that fell. */
  check(): Promise<void>
  /** What to tell of a failure: a container that fell is the reason for all that went wrong after it. */
  reason(error: unknown): Promise<unknown>
  close(): void
}

export function vigilOver(rolling: Rolling): Vigil {
  const { host, params, context } = rolling
  const watched = new Set<string>()
  const falls = new Map<string, string>()
  const fallen = new AbortController()
  let subscription: { close(): void } | undefined
  let isDeaf = false

  const fell = (container: string, why: string) => {
    if (!falls.has(container)) falls.set(container, why)
    if (watched.has(container)) fallen.abort()
  }
  const onEvent = (event: EngineEvent): void => {
    if (event.action === 'disconnected') isDeaf = true
    const why = fallOf(event, event.container)
    if (why !== undefined) fell(event.container, why)
  }
  const listen = async () => {
    subscription?.close()
    isDeaf = false
    subscription = await host.engine.events(onEvent)
  }
  /** What passed while nobody listened can still be seen. */
  const lookAgain = async () => {
    await listen()
    for (const container of watched) {
      const { state, health, restartCount, exitCode } = await host.engine.inspect(container)
      if (state !== 'running' || restartCount > 0) fell(container, `exited with code ${exitCode}`)
      else if (health === 'unhealthy') fell(container, turnedUnhealthy)
    }
  }
  const check = async () => {
    if (isDeaf) await lookAgain()
    const first = [...falls].find(([container]) => watched.has(container))
    if (first === undefined) return
    const [container, why] = first
    throw await unhealthy(host, container, { service: params.service, signal: context.signal }, `was ready, then ${why}`)
  }

  return {
    listen,
    watch(container) {
      watched.add(container)
      if (falls.has(container)) fallen.abort()
    },
    fallen: fallen.signal,
    check,
    async reason(error) {
      if (!fallen.signal.aborted) return error
      return check().then(
        () => error,
        (fall: unknown) => (fall instanceof TaskFailure && fall.failure.reason === 'unhealthy' ? fall : error),
      )
    },
    close: () => subscription?.close(),
  }
}
