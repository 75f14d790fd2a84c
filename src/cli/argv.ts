import { type Flag, takesValue } from './flag.ts'

/** A command line cut in two. */
export interface CommandLine {
  /** Name in the table (`deploy`, `releases list`); undefined when no command was named. */
  readonly name?: string
  /** Words that led nowhere: an unknown command, or a group without its second word. */
  readonly words: readonly string[]
  /** Everything else, in order: flags that came before the command included. */
  readonly rest: readonly string[]
}

/** Finds the command among the words, stepping over global flags and their values. */
export function splitCommand(argv: readonly string[], names: readonly string[], globals: readonly Flag[]): CommandLine {
  const rest: string[] = []
  const words: string[] = []
  // `migrate` is a command, and `migrate plan` is another.
  let shorter: CommandLine | undefined
  for (let index = 0; index < argv.length; index++) {
    const arg = argv[index] as string
    if (arg === '--') return shorter ?? { words, rest: [...rest, ...argv.slice(index)] }
    if (arg.startsWith('-') && arg !== '-') {
      // What follows a flag of its own may be that flag's value.
      if (shorter && !isGlobal(arg, globals)) return shorter
      rest.push(arg)
      if (endsInValueFlag(arg, globals) && index + 1 < argv.length) rest.push(argv[++index] as string)
      continue
    }
    words.push(arg)
    const path = words.join(' ')
    const isPrefix = names.some((name) => name.startsWith(`${path} `))
    const found = { name: path, words: [...words], rest: [...rest, ...argv.slice(index + 1)] }
    if (names.includes(path) && !isPrefix) return found
    if (names.includes(path)) shorter = found
    else if (!isPrefix) return shorter ?? { words, rest: found.rest }
  }
  return shorter ?? { words, rest }
}

function isGlobal(arg: string, globals: readonly Flag[]): boolean {
  const [head = ''] = arg.split('=')
  return head.startsWith('--')
    ? globals.some(({ name }) => head === `--${name}` || head === `--no-${name}`)
    : globals.some(({ alias }) => alias !== undefined && alias === head[1])
}

/** `-e`, `--env` and `-ve` take the next word; `--env=prod` and `-eprod` brought theirs. */
function endsInValueFlag(arg: string, flags: readonly Flag[]): boolean {
  if (arg.startsWith('--')) return flags.some((flag) => `--${flag.name}` === arg && takesValue(flag))
  const letters = [...arg.slice(1)]
  const first = letters.findIndex((letter) => flags.some((flag) => flag.alias === letter && takesValue(flag)))
  return first === letters.length - 1
}

export interface NormalArguments {
  readonly args: readonly string[]
  /** `--flag=value` of switches whose value is neither true nor false: [flag, value]. */
  readonly refused: readonly (readonly [Flag, string])[]
}

/**
 * Rewrites what commander cannot read: `--verbose=false` becomes `--no-verbose`, `-e=prod` becomes `-e prod`, and a bare `--force`
 * becomes `--force=`, so that it never swallows the word after it.
 */
export function normalArguments(args: readonly string[], flags: readonly Flag[]): NormalArguments {
  const normal: string[] = []
  const refused: [Flag, string][] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] as string
    if (arg === '--') return { args: [...normal, ...args.slice(index)], refused }
    const [head, value] = cut(arg)
    const flag = flags.find((candidate) => head === `--${candidate.name}` || head === `-${candidate.alias}`)
    if (flag?.shape === 'boolean' && value !== undefined) {
      const on = parseBoolean(value)
      if (on === undefined) refused.push([flag, value])
      else normal.push(on ? `--${flag.name}` : `--no-${flag.name}`)
    } else if (flag?.shape === 'optional') {
      if (value === '') refused.push([flag, value])
      else normal.push(`--${flag.name}=${value ?? ''}`)
    } else if (flag !== undefined && value !== undefined && head.length === 2) normal.push(head, value)
    else {
      normal.push(arg)
      if (arg.startsWith('-') && endsInValueFlag(arg, flags) && index + 1 < args.length) normal.push(args[++index] as string)
    }
  }
  return { args: normal, refused }
}

function cut(arg: string): [string, string | undefined] {
  const equals = arg.indexOf('=')
  return arg.startsWith('-') && equals > 0 ? [arg.slice(0, equals), arg.slice(equals + 1)] : [arg, undefined]
}

/** `1 t true 0 f false`, in any case; undefined for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  if (['1', 't', 'true'].includes(lower)) return true
  return ['0', 'f', 'false'].includes(lower) ? false : undefined
}
