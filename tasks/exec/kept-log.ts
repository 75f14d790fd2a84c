/** The most that is kept of one task's output, in UTF-16 units. */
const mostKept = 4 * 1024 * 1024

/** A task's output for later: whole lines, the last of them when it is too much. */
export class KeptLog {
  #lines: string[] = []
  #first = 0
  #length = 0
  #isCut = false

  add(line: string): void {
    this.#lines.push(line)
    this.#length += line.length + 1
    if (this.#length > mostKept) this.#isCut = true
    while (this.#length > mostKept && this.#first < this.#lines.length - 1) {
      this.#length -= (this.#lines[this.#first]?.length ?? 0) + 1
      this.#first += 1
    }
    // Dropping one by one from the front of an array would cost a copy each.
    if (this.#first <= 1024 || this.#first * 2 <= this.#lines.length) return
    this.#lines = this.#lines.slice(this.#first)
    this.#first = 0
  }

  /** Empty when nothing was printed. */
  text(): string {
    const lines = this.#lines.slice(this.#first)
    if (this.#isCut) lines.unshift('(earlier lines were not kept)')
    return lines.map((line) => `${line}\n`).join('')
  }
}
