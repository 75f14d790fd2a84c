/** Which databases a migration command is about. Pure. */
import { nearest } from '../../../graph/nearest.ts'
import type { Checked, Diagnostic } from '../../../graph/types.ts'
import type { DatabaseTarget } from '../../contracts.ts'

export interface DatabaseWords {
  readonly database?: readonly string[] | undefined
  readonly allDatabases?: boolean
  readonly strategy?: DatabaseTarget['strategy'] | undefined
}

/** Those named; else all with the strategy asked for; else the only one, or the one called `main`. Sorted by name. */
export function chosenDatabases(
  databases: readonly DatabaseTarget[],
  { database: named = [], allDatabases = false, strategy }: DatabaseWords,
  environment: string,
): Checked<readonly DatabaseTarget[]> {
  const names = databases.map(({ name }) => name).sort()
  if (names.length === 0) {
    return refused([problem('SC3060', `\`${environment}\` has no database with migrations: give one \`databases.<name>.migrations\``)])
  }
  if (allDatabases && named.length > 0) return refused([problem('SC3007', '`--all-databases` and `--database` exclude each other')])
  const unknown = named.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    return refused(
      unknown.map((name) => {
        const message = `no database with migrations is called \`${name}\`: there is ${names.map((known) => `\`${known}\``).join(', ')}`
        return problem('SC3061', message, nearest(name, names))
      }),
    )
  }
  const isWanted = ({ name }: DatabaseTarget) => {
    if (named.length > 0) return named.includes(name)
    return allDatabases || strategy !== undefined || names.length === 1 || name === 'main'
  }
  const chosen = databases.filter((one) => isWanted(one) && (strategy === undefined || one.strategy === strategy))
  if (chosen.length > 0) return { ok: true, value: [...chosen].sort((one, other) => (one.name < other.name ? -1 : 1)) }
  const message =
    strategy === undefined
      ? `there are several databases: name one with \`--database\` (${names.join(', ')}), or take all with \`--all-databases\``
      : `no database${named.length > 0 ? ` of those named` : ''} has the strategy \`${strategy}\``
  return refused([problem('SC3062', message)])
}

function problem(code: Diagnostic['code'], message: string, suggestion?: string): Diagnostic {
  return { code, severity: 'error', message, ...(suggestion === undefined ? {} : { suggestion }) }
}

function refused(diagnostics: readonly Diagnostic[]): Checked<never> {
  return { ok: false, diagnostics }
}
