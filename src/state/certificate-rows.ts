import { type Stamped, stampLength, writeStamp } from './stamp.ts'

/** The rows of a certificate being written: each path once, however many tasks rest on it. */
export class CertificateRows {
  readonly paths: string[] = []
  readonly #rows = new Map<string, number>()
  #stamps = new Float64Array(1024 * stampLength)

  /** @returns its row; undefined when the path was seen otherwise before: two tasks that saw it differently cannot both be up to date. */
  add(path: string, stamp: Stamped | undefined): number | undefined {
    const known = this.#rows.get(path)
    if (known !== undefined) return this.#isAs(known, stamp) ? known : undefined
    const row = this.paths.push(path) - 1
    this.#rows.set(path, row)
    if (row * stampLength === this.#stamps.length) {
      const larger = new Float64Array(this.#stamps.length * 2)
      larger.set(this.#stamps)
      this.#stamps = larger
    }
    writeStamp(this.#stamps, row, stamp)
    return row
  }

  /** As the frame holds them. */
  stamps(): Float64Array {
    return this.#stamps.slice(0, this.paths.length * stampLength)
  }

  #isAs(row: number, stamp: Stamped | undefined): boolean {
    const at = row * stampLength
    return this.#stamps[at + 1] === (stamp?.ctimeMs ?? -1) && this.#stamps[at + 3] === (stamp?.ino ?? -1)
  }
}
