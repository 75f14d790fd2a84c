/** Lines of programs we do not control, made safe to print among lines of others. */
import { printable } from './terminal.ts'

/** Select Graphic Rendition (ECMA-48 8.3.117): colours and styles, the only sequences that move nothing. */
const styles = new RegExp(`${String.fromCharCode(27)}\\[[0-9;:]*m`, 'g')
const reset = '\u001b[0m'

/**
 * A line with its colours, and nothing else that a terminal would act on. What was overwritten by a carriage return is gone, as it
 * would be on a screen; a style left open ends with the line.
 */
export function styledLine(line: string, color: boolean): string {
  if (!color || !line.includes('\u001b[')) return printable(line)
  const last = line.replace(/[\r\n]+$/, '')
  const visible = last.slice(last.lastIndexOf('\r') + 1)
  const found = visible.match(styles) ?? []
  const texts = visible.split(styles).map(printable)
  const text = texts.map((part, index) => part + (found[index] ?? '')).join('')
  const lastStyle = found.at(-1)
  return lastStyle === undefined || lastStyle === reset || lastStyle === '\u001b[m' ? text : `${text}${reset}`
}
