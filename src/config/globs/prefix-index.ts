/** Finds patterns that could meet a given one, by the names both begin with. */
import { fixedPrefix, type Pattern } from './pattern.ts'

interface Node<T> {
  readonly entries: T[]
  readonly children: Map<string, Node<T>>
}

/** Patterns whose fixed beginnings part ways cannot match one path: only what is left is worth comparing. */
export class PrefixIndex<T> {
  readonly #root: Node<T> = { entries: [], children: new Map() }

  add(pattern: Pattern, entry: T): void {
    let node = this.#root
    for (const name of fixedPrefix(pattern)) {
      const child: Node<T> = node.children.get(name) ?? { entries: [], children: new Map() }
      node.children.set(name, child)
      node = child
    }
    node.entries.push(entry)
  }

  /** Those at a folder above, and those at or below the pattern's own. */
  *near(pattern: Pattern): Generator<T> {
    let node = this.#root
    for (const name of fixedPrefix(pattern)) {
      yield* node.entries
      const child = node.children.get(name)
      if (!child) return
      node = child
    }
    const waiting = [node]
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      yield* below.entries
      waiting.push(...below.children.values())
    }
  }
}
