/**
 * The only text for what is wrong with the user's input. Plain string work: shown on the way out of commands that loaded nothing else.
 */
import type { Diagnostic, Location, Note } from '../../graph/types.ts'

export interface DiagnosticsStyle {
  readonly color: boolean
}

type Paint = (style: keyof typeof styles, text: string) => string

/** SGR parameters (ECMA-48 8.3.117). */
const styles = { error: '1;31', warning: '1;33', gutter: '34', strong: '1', suggestion: '32' } as const

/** Columns of a source line that are shown; longer ones are cut around the place that matters. */
const lineWidth = 120

/** One block per diagnostic, and how many there were. Empty for none. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], { color }: DiagnosticsStyle): string {
  if (diagnostics.length === 0) return ''
  const paint: Paint = color ? (style, text) => `\u001b[${styles[style]}m${text}\u001b[0m` : (_, text) => text
  const blocks = diagnostics.map((diagnostic) => block(diagnostic, paint))
  return `${blocks.join('\n\n')}\n\n${total(diagnostics)}\n`
}

function block(diagnostic: Diagnostic, paint: Paint): string {
  const { severity, code, location, suggestion, notes = [] } = diagnostic
  const heading = `${paint(severity, `${severity}[${code}]`)}${paint('strong', `: ${printable(diagnostic.message)}`)}`
  const gutter = ' '.repeat(2 + String(location?.line ?? '').length + 1)
  const hint = suggestion === undefined ? undefined : paint('suggestion', `did you mean \`${printable(suggestion)}\`?`)
  const source = location ? excerpt(location, gutter, hint, paint) : hint ? [`${gutter}= ${hint}`] : []
  return [heading, ...source, ...notes.flatMap((note) => noteLines(note, gutter, paint))].join('\n')
}

/** The line itself, and a caret under the part that matters. */
function excerpt(location: Location, gutter: string, hint: string | undefined, paint: Paint): string[] {
  const { text, column, length } = around(location)
  const bar = paint('gutter', '│')
  const indent = ' '.repeat(width(text.slice(0, column)))
  const caret = paint('error', '^'.repeat(Math.max(1, width(text.slice(column, column + length)))))
  return [
    `  ${place(location, paint)}`,
    `${gutter}${bar}`,
    `  ${paint('gutter', String(location.line))} ${bar} ${text}`.trimEnd(),
    `${gutter}${bar} ${indent}${caret}${hint ? ` ${hint}` : ''}`,
  ]
}

function place({ file, line, column }: Location, paint: Paint): string {
  return `${paint('gutter', '──▶')} ${printable(file)}:${line}:${column}`
}

function noteLines({ message, location }: Note, gutter: string, paint: Paint): string[] {
  const line = `${gutter}${paint('gutter', '=')} note: ${printable(message)}`
  return location ? [line, `${gutter}  ${place(location, paint)}`] : [line]
}

/** The part of a line that is shown; `column` counts from 0. */
function around({ text, column, length }: Location): { readonly text: string; readonly column: number; readonly length: number } {
  const start = text.length <= lineWidth ? 0 : Math.max(0, Math.min(column - 1 - Math.floor(lineWidth / 3), text.length - lineWidth))
  const cut = (start > 0 ? '…' : '') + text.slice(start, start + lineWidth) + (start + lineWidth < text.length ? '…' : '')
  return { text: printable(cut), column: column - 1 - start + (start > 0 ? 1 : 0), length: Math.min(length, lineWidth) }
}

/** Tabs become a space and control characters a replacement, so a file cannot steer the terminal; lengths stay. */
function printable(text: string): string {
  return text.replaceAll('\t', ' ').replace(/\p{Cc}/gu, '\ufffd')
}

/** Columns in a terminal: wide East Asian letters and pictures take two, combining marks none. */
function width(text: string): number {
  return [...text].reduce((columns, letter) => {
    if (/\p{M}|\u200d|\ufe0f/u.test(letter)) return columns
    return (
      columns + (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}/u.test(letter) ? 2 : 1)
    )
  }, 0)
}

function total(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  const warnings = diagnostics.length - errors
  const count = (number: number, noun: string) => (number === 0 ? [] : [`${number} ${noun}${number === 1 ? '' : 's'}`])
  return [...count(errors, 'error'), ...count(warnings, 'warning')].join(', ')
}
