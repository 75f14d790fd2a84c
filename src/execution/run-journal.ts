/** What a run tells whoever keeps a record of its effects on hosts: intent first, so that a record never misses what was done. */
import type { Task, TaskId } from '../../graph/types.ts'

export interface HostEffect {
  readonly task: TaskId
  readonly host: string
  /** `undo`: what `run` did is taken back. */
  readonly what: 'run' | 'undo'
}

export interface RunJournal {
  /** Resolves once it is on record. Rejects: the effect is not begun. */
  intent(effect: HostEffect): Promise<void>
  ended(effect: HostEffect, how: 'done' | 'failed'): Promise<void>
}

/** Does `work` between the two records, if there is a journal and the task is about one host. */
export async function journaled<T>(
  journal: RunJournal | undefined,
  task: Pick<Task, 'id' | 'params'>,
  what: HostEffect['what'],
  work: () => Promise<T>,
): Promise<T> {
  const host = (task.params as { readonly host?: unknown } | null)?.host
  if (!journal || typeof host !== 'string') return work()
  const effect = { task: task.id, host, what }
  await journal.intent(effect)
  const [outcome] = await Promise.allSettled([work()])
  await journal.ended(effect, outcome.status === 'fulfilled' ? 'done' : 'failed')
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}
