/** Waits until the swarm is done with a change of a service, one way or the other. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Host, SwarmService, SwarmTask } from '../ports.ts'
import { type Progress, progressOf } from './decide.ts'

export interface ChangeOptions {
  readonly replicas: number
  /** Ids of copies that had ended before the change: what became of them says nothing about it. */
  readonly ended: ReadonlySet<string>
  /** How long copies must stay up where the Engine does not watch them: after a service was made, or scaled. */
  readonly monitorMs: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
  say(line: string): void
}

export type ChangeEnd = (
  | Exclude<Progress, { state: 'under-way' }>
  | { readonly state: 'timeout' | 'interrupted'; readonly why: string }
) & {
  readonly tasks: readonly SwarmTask[]
  readonly service: SwarmService | undefined
}

/** One look costs two round trips. */
const pauseMs = 400

export async function awaitChange(host: Host, id: string, options: ChangeOptions): Promise<ChangeEnd> {
  const deadline = performance.now() + options.timeoutMs
  let runningSince: number | undefined
  let told = ''
  for (;;) {
    const [service, all] = await Promise.all([host.swarm.service(id), host.swarm.tasks(id)])
    const tasks = all.filter(({ id: task }) => !options.ended.has(task))
    if (service === undefined) return { state: 'stuck', why: 'somebody removed it', tasks, service }
    const progress = progressOf(options.replicas, service, tasks)
    if (progress.state === 'done') {
      runningSince ??= performance.now()
      // Of an update the Engine has watched its copies itself.
      if (service.update !== undefined || performance.now() - runningSince >= options.monitorMs) return { ...progress, tasks, service }
    } else runningSince = undefined
    if (progress.state !== 'done' && progress.state !== 'under-way') return { ...progress, tasks, service }
    const detail = progress.state === 'under-way' ? progress.detail : ''
    if (detail !== '' && detail !== told) options.say(detail)
    told = detail
    if (options.signal.aborted) return { state: 'interrupted', why: 'was interrupted', tasks, service }
    if (progress.state === 'under-way' && performance.now() > deadline) {
      return { state: 'timeout', why: `was not done within ${Math.round(options.timeoutMs / 1000)} s (${detail})`, tasks, service }
    }
    await delay(pauseMs, undefined, { signal: options.signal }).catch(() => undefined)
  }
}
