/**
 * What was judged fresh before the environment's lock was ours may not be any more: another run may have ended in between. It is judged again
 * under the lock, before anything is written, when a host looks different from how it was seen (ADR 48).
 */
import type { Task, TaskId } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Assessment } from '../assess.ts'
import { shortName } from '../ui/task-name.ts'
import type { EnvironmentLock } from './run-options.ts'

export interface SeenUnlocked {
  /** A target was found as wanted without the lock. `look` looks at it again. */
  note(task: Task, look: () => Promise<Assessment>): void
  /** Takes the lock, and makes sure that what was noted still holds. @throws TaskFailure `refused` naming what does not, `lock-held`. */
  hold(): Promise<void>
}

export function seenUnlocked(lock: EnvironmentLock): SeenUnlocked {
  const noted = new Map<TaskId, () => Promise<Assessment>>()
  let holding: Promise<void> | undefined

  async function hold(): Promise<void> {
    const wasHeld = lock.isHeld
    await lock.hold()
    if (wasHeld || noted.size === 0 || !(await lock.movedMeanwhile?.())) return
    for (const [id, look] of noted) {
      const now = await look()
      if (now.fresh === false) throw moved(id, now.because.detail)
    }
  }

  return {
    note: ({ id }, look) => void noted.set(id, look),
    hold: () => (holding ??= hold()),
  }
}

function moved(id: TaskId, detail: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: shortName(id),
    message: `${shortName(id)} was up to date when this run looked, and is not any more, now that the lock is ours: ${detail}; nothing was changed`,
    remedy: 'another run, or a person, was there in between: deploy again; with `--wait` the lock is taken before anything is looked at',
  })
}
