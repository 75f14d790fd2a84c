/** A line of a container's output as it is shown. Pure. */
import { stripVTControlCharacters } from 'node:util'
import type { OutputLine } from '../../../tasks/ports.ts'
import type { Paint } from '../../ui/paint.ts'
import { fitted, nameWidth } from '../../ui/task-name.ts'

/** A line and whose it is. */
export interface LogLine extends OutputLine {
  readonly host: string
  readonly service: string
  /** Its name without the project's: `web-2`. */
  readonly container: string
}

export interface LineStyle {
  readonly format: 'text' | 'json'
  /** In front of each line, who wrote it. */
  readonly prefix: boolean
  readonly timestamps: boolean
  readonly paint: Paint
  /** The application's own colors are kept: somebody is looking. */
  readonly keepStyles: boolean
}

/** Longer lines are shown up to here. Secrets were looked for in more, so that none is cut in two and missed. */
const longestLine = 1024 * 1024

/** @param names who else is heard, for the width of the prefix. */
export function lineText(line: LogLine, style: LineStyle, names: readonly string[] = []): string {
  if (style.format === 'json') {
    const { at, host, service, container, stream, text } = line
    return `${JSON.stringify({ at, host, service, container, stream, line: visible(text, false) })}\n`
  }
  const { paint } = style
  const time = style.timestamps ? `${paint.dim(`${line.at.slice(0, 23)}Z`)} ` : ''
  const name = sourceName(line)
  const prefix = style.prefix ? `${colorOf(name, paint)(`${fitted(name, Math.max(nameWidth(names), nameWidth([name])))} │`)} ` : ''
  return `${prefix}${time}${visible(line.text, style.keepStyles)}\n`
}

export function sourceName({ host, container }: Pick<LogLine, 'host' | 'container'>): string {
  return `${host}/${container}`
}

/** Containers are called `<project>-<environment>-<service>-<n>` by Compose. */
export function shortContainer(name: string, composeProject: string): string {
  return name.startsWith(`${composeProject}-`) ? name.slice(composeProject.length + 1) : name
}

const styleSequence = new RegExp(`(${String.fromCharCode(27)}\\[[0-9;:]*m)`)

/**
 * What a terminal would show of it: after the last return to the line's start, without anything that moves the cursor, sets titles or rings.
 * Colors stay when they are wanted, and end with the line.
 */
export function visible(text: string, keepStyles: boolean): string {
  const shown = text.replace(/\r+$/, '')
  const last = shown.slice(shown.lastIndexOf('\r') + 1)
  const parts = keepStyles ? last.split(styleSequence) : [last]
  const clean = parts.map((part, index) => (index % 2 === 1 ? part : stripVTControlCharacters(part).replace(/(?!\t)\p{Cc}/gu, ''))).join('')
  const cut = clean.length > longestLine ? `${clean.slice(0, longestLine)}… (a line longer than ${longestLine / 1024 / 1024} MiB)` : clean
  return parts.length > 1 ? `${cut}\u001b[0m` : cut
}

/** The same name has the same color in every run, whoever else is heard. */
function colorOf(name: string, paint: Paint): (text: string) => string {
  const colors = [paint.cyan, paint.green, paint.yellow, paint.blue, paint.magenta] as const
  const hash = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, 7)
  return colors[hash % colors.length] ?? paint.cyan
}
