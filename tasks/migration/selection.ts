/** Which migrations a run is about. Pure. */
import { TaskFailure } from '../kind.ts'
import type { MigrationParams } from './params.ts'

type Wanted = Pick<MigrationParams, 'database' | 'ids' | 'tags'>

/** Those with one of the ids or tags; all when neither is given. A tag that nothing has selects nothing. @throws TaskFailure for an id there is none of. */
export function selected<T extends { readonly id: string; readonly tags: readonly string[] }>(
  all: readonly T[],
  { database, ids = [], tags = [] }: Wanted,
): readonly T[] {
  if (ids.length === 0 && tags.length === 0) return all
  const unknown = ids.filter((id) => !all.some((one) => one.id === id))
  if (unknown.length > 0) {
    throw new TaskFailure({
      reason: 'refused',
      subject: `database \`${database}\``,
      message: `there is no migration ${unknown.map((id) => `\`${id}\``).join(', ')}`,
      remedy: all.length === 0 ? 'there are none at all' : `there is ${listIds(all)}`,
    })
  }
  return all.filter((one) => ids.includes(one.id) || one.tags.some((tag) => tags.includes(tag)))
}

/** The first few, and how many more. */
export function listIds(items: readonly { readonly id: string }[]): string {
  const shown = items.slice(0, 5).map(({ id }) => id)
  return items.length > shown.length ? `${shown.join(', ')} (+${items.length - shown.length} more)` : shown.join(', ')
}
