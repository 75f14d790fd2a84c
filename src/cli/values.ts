import type { Diagnostic } from '../../graph/types.ts'
import { parseBoolean } from './argv.ts'
import { type Flag, spelling } from './flag.ts'

/** What commander collected for one flag: every text given, or the last word on a switch. */
export type Given = readonly string[] | boolean

export interface FlagValues {
  /** Only what was said: defaults are the schema's. */
  readonly values: Readonly<Record<string, unknown>>
  /** Keys that came from the command line, not from the environment. */
  readonly typed: ReadonlySet<string>
  readonly diagnostics: readonly Diagnostic[]
}

/** Flag, then environment variable; an empty variable counts as unset. Reports every problem, not the first. */
export function flagValues(
  flags: readonly Flag[],
  given: Readonly<Record<string, Given | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
): FlagValues {
  const values: Record<string, unknown> = {}
  const typed = new Set<string>()
  const diagnostics: Diagnostic[] = []
  for (const flag of flags) {
    const said = given[flag.key]
    const variable = flag.env === undefined ? undefined : env[flag.env]
    if (said !== undefined) {
      typed.add(flag.key)
      values[flag.key] = typeof said === 'boolean' ? said : read(flag, said, spelling(flag), 'SC3004', diagnostics)
    } else if (flag.env !== undefined && variable !== undefined && variable !== '') {
      values[flag.key] = read(flag, [variable], flag.env, 'SC3001', diagnostics)
    } else if (flag.fallback !== undefined) values[flag.key] = flag.fallback
  }
  return { values, typed, diagnostics }
}

function read(flag: Flag, texts: readonly string[], source: string, code: `SC${number}`, diagnostics: Diagnostic[]): unknown {
  const last = texts.at(-1) ?? ''
  const refuse = (message: string) => void diagnostics.push({ code, severity: 'error', message })
  switch (flag.shape) {
    case 'boolean': {
      const on = parseBoolean(last)
      if (on === undefined) refuse(`\`${source}\` is \`${last}\`, which is neither true nor false`)
      return on
    }
    case 'optional':
      return last === '' ? true : (parseBoolean(last) ?? last)
    case 'number': {
      const value = last.trim() === '' ? Number.NaN : Number(last)
      if (!Number.isFinite(value)) refuse(`\`${source}\` takes a number, not \`${last}\``)
      return value
    }
    case 'list': {
      const items = texts.flatMap((text) => text.split(',')).map((item) => item.trim())
      const wanted = items.filter((item) => item !== '')
      for (const item of wanted) if (!isChoice(flag, item)) refuse(`\`${source}\` takes ${choiceList(flag)}, not \`${item}\``)
      return wanted
    }
    case 'text':
      if (!isChoice(flag, last)) refuse(`\`${source}\` takes ${choiceList(flag)}, not \`${last}\``)
      return last
  }
}

function isChoice(flag: Flag, value: string): boolean {
  return flag.choices === undefined || flag.choices.includes(value)
}

function choiceList(flag: Flag): string {
  return (flag.choices ?? []).map((choice) => `\`${choice}\``).join(' or ')
}
