import type { FileState } from '../../graph/types.ts'
import { isStamp, readStamp, type Stamped, stampLength, stampOf, writeStamp } from './stamp.ts'

/** Rows as they are kept between runs. */
export interface FileRows {
  readonly paths: readonly string[]
  readonly states: readonly FileState[]
  /** Five numbers a row. */
  readonly stamps: Float64Array
}

/**
 * What state each file had when its stamp was what it is here. A row says nothing of now: whoever looks compares stamps first. In columns rather than
 * in objects, as there may be 200,000.
 */
export class FileTable {
  readonly #rows = new Map<string, number>()
  readonly #states: FileState[]
  #stamps: Float64Array
  /** States that no stamp can vouch for, as the next change may not show in it: for this run, and to be looked at again at its end. */
  readonly #unsettled = new Map<string, { readonly stamp: Stamped; readonly state: FileState }>()
  readonly #seen = new Set<string>()
  #isChanged = false

  constructor({ paths, states, stamps }: FileRows = { paths: [], states: [], stamps: new Float64Array(0) }) {
    for (const [row, path] of paths.entries()) this.#rows.set(path, row)
    this.#states = [...states]
    this.#stamps = stamps
  }

  get isChanged(): boolean {
    return this.#isChanged
  }

  /** The state of a file that looks like this, if it was ever read when it did. */
  find(path: string, found: Stamped): FileState | undefined {
    this.#seen.add(path)
    const row = this.#rows.get(path)
    return row !== undefined && isStamp(this.#stamps, row, found) ? this.#states[row] : undefined
  }

  /** `settled`: a change after the reading would show in the stamp. */
  remember(path: string, found: Stamped, state: FileState, settled: boolean): void {
    if (!settled) {
      this.#unsettled.set(path, { stamp: stampOf(found), state })
      return
    }
    this.#unsettled.delete(path)
    const row = this.#rows.get(path) ?? this.#states.length
    if (row * stampLength === this.#stamps.length) this.#stamps = grown(this.#stamps)
    this.#rows.set(path, row)
    this.#states[row] = state
    writeStamp(this.#stamps, row, found)
    this.#isChanged = true
  }

  /** What was last read of a path that this run has looked at, with a stamp that vouches for it. */
  vouched(path: string): { readonly state: FileState; readonly stamp: Stamped } | undefined {
    if (!this.#seen.has(path) || this.#unsettled.has(path)) return undefined
    const row = this.#rows.get(path)
    const stamp = row === undefined ? undefined : readStamp(this.#stamps, row)
    return row === undefined || stamp === undefined ? undefined : { state: this.#states[row] as FileState, stamp }
  }

  /** Changes of files whose stamps do not vouch yet. */
  unsettled(): ReadonlyMap<string, { readonly stamp: Stamped }> {
    return this.#unsettled
  }

  /** All rows. */
  rows(): FileRows {
    // A row is never given up, so the paths stand in the order of their rows.
    return { paths: [...this.#rows.keys()], states: this.#states, stamps: this.#stamps.subarray(0, this.#states.length * stampLength) }
  }

  /** The rows but for those that `keep` is not for: it is asked about paths that this run did not look at. */
  rowsWorthKeeping(keep: (path: string) => boolean): FileRows {
    const kept = [...this.#rows].filter(([path]) => this.#seen.has(path) || keep(path))
    const stamps = new Float64Array(kept.length * stampLength)
    for (const [index, [, row]] of kept.entries())
      stamps.set(this.#stamps.subarray(row * stampLength, (row + 1) * stampLength), index * stampLength)
    return { paths: kept.map(([path]) => path), states: kept.map(([, row]) => this.#states[row] as FileState), stamps }
  }
}

function grown(stamps: Float64Array): Float64Array {
  const larger = new Float64Array(Math.max(1024 * stampLength, stamps.length * 2))
  larger.set(stamps)
  return larger
}
