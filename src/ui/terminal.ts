import { stripVTControlCharacters } from 'node:util'

type Environment = Readonly<Record<string, string | undefined>>
interface MaybeTerminal {
  readonly isTTY?: boolean
}

/** The flag, then NO_COLOR (no-color.org: any non-empty value), then FORCE_COLOR, then whether a terminal is looking. */
export function decideColor(flag: boolean | undefined, env: Environment, stream: MaybeTerminal): boolean {
  if (flag !== undefined) return flag
  if (env['NO_COLOR']) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}

/** True when a list may be redrawn in place: a capable terminal, and nobody collecting a log. */
export function isInteractive(env: Environment, stream: MaybeTerminal): boolean {
  const ci = env['CI']
  return stream.isTTY === true && env['TERM'] !== 'dumb' && (ci === undefined || ci === '' || ci === 'false' || ci === '0')
}

/** A line from a program we do not control, made safe to print: no escape sequences, no overwriting, tabs as spaces. */
export function printable(line: string): string {
  const shown = stripVTControlCharacters(line).replace(/[\r\n]+$/, '')
  return shown
    .slice(shown.lastIndexOf('\r') + 1)
    .replaceAll('\t', '  ')
    .replace(/\p{Cc}/gu, '')
}
