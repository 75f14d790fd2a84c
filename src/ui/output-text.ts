/** What tasks print, arranged so that lines of one never mix with lines of another. */
import type { TaskId } from '../../graph/types.ts'
import type { Paint } from './paint.ts'
import { fitted, nameWidth, shortName } from './task-name.ts'

/** Puts the task's name in front of each of its lines: aligned, and on a terminal each in a colour of its own. */
export type Prefix = (id: TaskId, line: string) => string

const palette = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const satisfies readonly (keyof Paint)[]

export function createPrefix(ids: readonly TaskId[], paint: Paint): Prefix {
  const width = nameWidth(ids.map(shortName))
  const heads = new Map<TaskId, string>()
  return (id, line) => {
    const known = heads.get(id)
    // Colours go by order of speaking, so that neighbours on the screen differ.
    const head = known ?? paint[palette[heads.size % palette.length] ?? 'cyan'](`${fitted(shortName(id), width)} │`)
    heads.set(id, head)
    return line === '' ? head : `${head} ${line}`
  }
}

/** Characters of one task's output that are kept until it ends; beyond that the oldest go. */
export const keptCharacters = 1024 * 1024

/** Lines of one task, held back. */
export class HeldLines {
  #lines: string[] = []
  #characters = 0
  #dropped = 0

  get characters(): number {
    return this.#characters
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length + 1
    if (this.#characters <= 2 * keptCharacters) return
    // Rarely and many at once: dropping one by one would make each line cost as much as all.
    let first = 0
    for (; this.#characters > keptCharacters && first < this.#lines.length - 1; first++)
      this.#characters -= (this.#lines[first] ?? '').length + 1
    this.#lines = this.#lines.slice(first)
    this.#dropped += first
  }

  /** All of them, and forgets them. */
  take(): readonly string[] {
    const note = this.#dropped === 0 ? [] : [`… ${this.#dropped} earlier lines are left out`]
    const lines = [...note, ...this.#lines]
    this.#lines = []
    this.#characters = 0
    this.#dropped = 0
    return lines
  }
}
