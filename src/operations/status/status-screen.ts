/** A text of several lines that is drawn over itself on a terminal. */
import { stripVTControlCharacters } from 'node:util'

type Terminal = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>

const clearBelow = '\u001b[J'
const clearLine = '\u001b[K'

export class StatusScreen {
  readonly #terminal: Terminal
  #drawn = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Cut to what the terminal holds: a line that wraps, or one that scrolls away, could not be drawn over. */
  draw(lines: readonly string[]): void {
    const { columns = 80, rows = 24 } = this.#terminal
    const shown = lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines`]
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`
    const text = shown.map((line) => `${fit(line, columns)}${clearLine}\n`).join('')
    this.#terminal.write(`${back}${text}${clearBelow}`)
    this.#drawn = shown.length
  }
}

/** A line too long loses its styles with its end. */
function fit(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line)
  return plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`
}
