/** What events tell of one container while it comes up and after. Pure but for timers. */
import type { EngineEvent } from '../ports.ts'

/** `deaf`: events stopped coming, and what passed meanwhile is not known. */
export type Verdict = 'ready' | 'deaf' | { readonly why: string }

export interface VerdictLimits {
  readonly timeoutMs: number
  /** Of the time-out. */
  readonly leftMs: number
  /** For one whose health nobody checks. */
  readonly readyAfterMs?: number
  readonly signal: AbortSignal
}

export const turnedUnhealthy = 'turned unhealthy'

/** Give `onEvent` every event of the engine, and `settle` what a look at it has decided already. */
export function watchContainer(container: string) {
  let settle: (verdict: Verdict) => void = () => {}
  let fall: (verdict: Verdict) => void = () => {}
  const fallen = new Promise<Verdict>((resolve) => {
    fall = resolve
  })
  const settled = new Promise<Verdict>((resolve) => {
    settle = resolve
  })
  const onEvent = (event: EngineEvent): void => {
    const why = event.action === 'disconnected' ? 'deaf' : fallOf(event, container)
    if (why !== undefined) {
      settle(why === 'deaf' ? why : { why: why === turnedUnhealthy ? 'is unhealthy' : why })
      fall(why === 'deaf' ? why : { why: `was healthy, then ${why}` })
    } else if (event.container === container && event.action === 'health_status: healthy') settle('ready')
  }
  const verdict = async (limits: VerdictLimits): Promise<Verdict> => {
    const timers: NodeJS.Timeout[] = []
    const onAbort = () => settle({ why: 'was interrupted' })
    limits.signal.addEventListener('abort', onAbort, { once: true })
    if (limits.signal.aborted) onAbort()
    if (limits.readyAfterMs !== undefined) timers.push(setTimeout(() => settle('ready'), limits.readyAfterMs))
    timers.push(setTimeout(() => settle({ why: notReady(limits) }), Math.max(0, limits.leftMs)))
    try {
      return await settled
    } finally {
      for (const timer of timers) clearTimeout(timer)
      limits.signal.removeEventListener('abort', onAbort)
    }
  }
  /** For one that is healthy. */
  const staysReady = async (steadyMs: number, signal: AbortSignal): Promise<Verdict> => {
    if (steadyMs === 0) return 'ready'
    const waiting = new AbortController()
    const time = setTimeout(() => fall('ready'), steadyMs)
    signal.addEventListener('abort', () => fall({ why: 'was interrupted' }), { once: true, signal: waiting.signal })
    if (signal.aborted) fall({ why: 'was interrupted' })
    try {
      return await fallen
    } finally {
      clearTimeout(time)
      waiting.abort()
    }
  }
  return { onEvent, settle, verdict, staysReady }
}

/** What an event says against a container. */
export function fallOf({ action, container, exitCode }: EngineEvent, wanted: string): string | undefined {
  if (container !== wanted) return undefined
  if (action === 'die') return exitCode === undefined ? 'exited' : `exited with code ${exitCode}`
  if (action === 'oom') return 'ran out of memory'
  return action === 'health_status: unhealthy' ? turnedUnhealthy : undefined
}

export function notReady({ timeoutMs }: { readonly timeoutMs: number }): string {
  return `was not ready within ${timeoutMs / 1000} s`
}
