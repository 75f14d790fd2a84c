/** What a run tells whoever keeps a record of its effects on hosts: intent first, so that a record never misses what was done. */
import type { Task, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'

export interface HostEffect {
  readonly task: TaskId
  /** Undefined for what is about no single host. */
  readonly host?: string
  /** `undo`: what `run` did is taken back. */
  readonly what: 'run' | 'undo'
  /** It throws away what an undo would need. */
  readonly commits: boolean
}

export interface RunJournal {
  /** Resolves once it is on its way to the host, ahead of whatever is asked of that host afterwards. Rejects: the effect is not begun. */
  intent(effect: HostEffect): Promise<void>
  /** Never rejects, and waits for nobody. */
  ended(effect: HostEffect, how: 'done' | 'failed'): void
}

/** Does `work` between the two records, if there is a journal and the kind writes under the environment's lock. */
export async function journaled<T>(
  journal: RunJournal | undefined,
  { id, params }: Pick<Task, 'id' | 'params'>,
  kind: Pick<TaskKind, 'exclusive' | 'commits'>,
  what: HostEffect['what'],
  work: () => Promise<T>,
): Promise<T> {
  if (!journal || kind.exclusive !== true) return work()
  const host = (params as { readonly host?: unknown } | null)?.host
  const effect: HostEffect = { task: id, what, commits: kind.commits === true, ...(typeof host === 'string' ? { host } : {}) }
  await journal.intent(effect)
  const [outcome] = await Promise.allSettled([work()])
  journal.ended(effect, outcome.status === 'fulfilled' ? 'done' : 'failed')
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
