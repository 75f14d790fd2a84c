import type { TaskId } from '../../graph/types.ts'

/** What a person calls a task: their own by the name they gave it, all others by id. */
export function shortName(id: TaskId | string): string {
  return id.startsWith('exec:') ? id.slice('exec:'.length) : id
}

/** Our sentences name tasks by id. */
export function withShortNames(text: string): string {
  return text.replace(/(^|[\s,(])exec:(?=[^\s:])/g, '$1')
}

/** Names wider than this are shortened in front of lines of output. */
const widestName = 24

/** The widest of some names, as far as a column may be wide. */
export function nameWidth(names: readonly string[]): number {
  return names.reduce((width, name) => Math.max(width, Math.min(name.length, widestName)), 0)
}

/** A name in exactly `width` columns: padded, or with its middle left out, since both ends of `packages/api/test` tell something. */
export function fitted(name: string, width: number): string {
  if (name.length <= width) return name.padEnd(width)
  const head = Math.ceil((width - 1) / 3)
  return `${name.slice(0, head)}…${name.slice(name.length - (width - 1 - head))}`
}
