/** Finds patterns that could meet a given one, by the names and characters both begin with. */
import { fixedBeginning, type Pattern } from './pattern.ts'

interface Folder<T> {
  /** Of patterns that go on with anything. */
  readonly entries: T[]
  /** Of patterns that go on with a name of which the first characters are known. */
  readonly begun: SortedTexts<T>
  readonly children: SortedTexts<Folder<T>>
  readonly childNamed: Map<string, Folder<T>>
}

/** Patterns whose fixed beginnings part ways cannot match one path: only what is left is worth comparing. */
export class PrefixIndex<T> {
  readonly #root: Folder<T> = emptyFolder()

  add(pattern: Pattern, entry: T): void {
    const { names, next } = fixedBeginning(pattern)
    let folder = this.#root
    for (const name of names) {
      const child = folder.childNamed.get(name) ?? emptyFolder<T>()
      if (!folder.childNamed.has(name)) folder.children.add(name, child)
      folder.childNamed.set(name, child)
      folder = child
    }
    if (next === '') folder.entries.push(entry)
    else folder.begun.add(next, entry)
  }

  /** Those at a folder above, and those at or below the pattern's own. */
  *near(pattern: Pattern): Generator<T> {
    const { names, next } = fixedBeginning(pattern)
    let folder = this.#root
    for (const name of names) {
      yield* folder.entries
      yield* folder.begun.before(name)
      const child = folder.childNamed.get(name)
      if (!child) return
      folder = child
    }
    yield* folder.entries
    yield* folder.begun.before(next)
    yield* folder.begun.after(next)
    const waiting = [...folder.children.at(next), ...folder.children.after(next)]
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      yield* below.entries
      yield* below.begun.after('')
      for (const child of below.childNamed.values()) waiting.push(child)
    }
  }
}

function emptyFolder<T>(): Folder<T> {
  return { entries: [], begun: new SortedTexts(), children: new SortedTexts(), childNamed: new Map() }
}

/** Values by text, found by a text that theirs begins with or that begins with theirs. Sorted when it is asked: best after all was added. */
class SortedTexts<V> {
  #rows: (readonly [text: string, value: V])[] = []
  #isSorted = true

  add(text: string, value: V): void {
    this.#rows.push([text, value])
    this.#isSorted = false
  }

  /** Values of the texts that this one begins with, itself included. */
  *before(text: string): Generator<V> {
    if (this.#rows.length === 0) return
    for (let length = 1; length <= text.length; length++) yield* this.at(text.slice(0, length))
  }

  /** Values of this very text. */
  *at(text: string): Generator<V> {
    for (let row = this.#firstNotBelow(text); this.#rows[row]?.[0] === text; row++) yield (this.#rows[row] as readonly [string, V])[1]
  }

  /** Values of longer texts that begin with this one. */
  *after(text: string): Generator<V> {
    for (let row = this.#firstNotBelow(text); row < this.#rows.length; row++) {
      const [own, value] = this.#rows[row] as readonly [string, V]
      if (!own.startsWith(text)) return
      if (own !== text) yield value
    }
  }

  #firstNotBelow(text: string): number {
    if (!this.#isSorted) this.#rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    this.#isSorted = true
    let [low, high] = [0, this.#rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#rows[middle] as readonly [string, V])[0] < text) low = middle + 1
      else high = middle
    }
    return low
  }
}
