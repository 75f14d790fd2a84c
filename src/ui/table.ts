/**
 * Rows under headings, each column as wide as its widest cell, two spaces apart, nothing cut off and no trailing spaces.
 * Control characters are left out, so that a stored text cannot steer the terminal.
 */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map((row) => headings.map((_, index) => printable(row[index] ?? '')))
  const widths = headings.map((_, index) => Math.max(...lines.map((cells) => width(cells[index] ?? ''))))
  const pad = (cell: string, index: number) => cell + ' '.repeat((widths[index] ?? 0) - width(cell))
  return lines.map((cells) => `${cells.map(pad).join('  ').trimEnd()}\n`).join('')
}

/** Code points, not UTF-16 units. */
function width(text: string): number {
  return [...text].length
}

/** One line of text without anything a terminal acts upon. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
