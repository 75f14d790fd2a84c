import { Argument, Command, Option } from 'commander'
import type { Json } from '../../graph/types.ts'
import type { Paint } from '../ui/paint.ts'
import { type Flag, isOnByDefault, type Positional, spelling, takesValue } from './flag.ts'
import type { Given } from './values.ts'

export interface CommandOptions {
  /** Words after `stagecraft`. */
  readonly name: string
  readonly summary: string
  readonly positionals: readonly Positional[]
  readonly flags: readonly Flag[]
  readonly globals: readonly Flag[]
  readonly examples: readonly string[]
  readonly paint: Paint
  /** Columns of the terminal. */
  readonly width: number
  write(text: string): void
}

/** What one command line said; values are still text. */
export interface Parsed {
  readonly flags: Readonly<Record<string, Given | undefined>>
  readonly positionals: readonly (string | readonly string[] | undefined)[]
}

/** A commander command that parses and explains itself, and neither prints errors nor exits: both are main's. */
export function createCommand(options: CommandOptions): Command {
  const command = silentCommand(`stagecraft ${options.name}`, options)
  command.description(options.summary)
  for (const positional of options.positionals) command.addArgument(argumentOf(positional))
  const words = command.registeredArguments.map((argument) => bracket(argument))
  command.usage([...words, '[options]'].join(' '))
  for (const flag of options.flags) addFlag(command, flag, 'Options:')
  for (const flag of options.globals) addFlag(command, flag, 'Global options:')
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('Global options:'))
  if (options.examples.length > 0) command.addHelpText('after', exampleText(options.examples, options.paint))
  command.action(() => undefined)
  return command
}

/** Parses words; nothing of the command runs. @throws CommanderError for what it cannot read, and after printing help. */
export function parse(command: Command, args: readonly string[]): Parsed {
  command.parse([...args], { from: 'user' })
  return { flags: command.opts(), positionals: command.processedArgs as Parsed['positionals'] }
}

/** Commander without its habits: it throws where it would exit, and says nothing on stderr. */
export function silentCommand(name: string, options: Pick<CommandOptions, 'paint' | 'width' | 'write'>): Command {
  const { paint } = options
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => options.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => options.width,
      getOutHasColors: () => true,
    })
    .configureHelp({
      sortSubcommands: true,
      sortOptions: true,
      styleTitle: (title) => paint.bold(title),
      styleOptionTerm: (term) => paint.cyan(term),
      styleSubcommandTerm: (term) => paint.cyan(term),
      styleArgumentTerm: (term) => paint.cyan(term),
    })
}

export function exampleText(examples: readonly string[], paint: Paint): string {
  return `\n${paint.bold('Examples:')}\n${examples.map((example) => `  ${paint.dim('$')} ${example}`).join('\n')}`
}

function addFlag(command: Command, flag: Flag, group: string): void {
  const collect = (text: string, previous: unknown) => (Array.isArray(previous) ? [...previous, text] : [text])
  const short = flag.alias === undefined ? '' : `-${flag.alias}, `
  const bare = flag.value.replace(/^<|>$/g, '')
  const value = flag.shape === 'optional' ? ` [${bare}]` : takesValue(flag) ? ` ${flag.value}` : ''
  const option = new Option(`${short}${spelling(flag)}${value}`, describe(flag)).helpGroup(group).hideHelp(flag.hidden)
  // Its value is only ever read after `=` (see `normalArguments`), so that is how help spells it.
  if (flag.shape === 'optional') option.flags = `${short}${spelling(flag)}[=${bare}]`
  if (flag.shape !== 'boolean') option.argParser(collect)
  command.addOption(option)
  if (flag.shape !== 'boolean') return
  command.addOption(new Option(isOnByDefault(flag) ? `--${flag.name}` : `--no-${flag.name}`).hideHelp())
  // Commander sets a default for `--no-x`, which would pass for something typed.
  command.setOptionValue(flag.key, undefined)
}

function describe(flag: Flag): string {
  const facts = [
    ...(flag.choices === undefined ? [] : [`one of ${flag.choices.join(', ')}`]),
    ...(isWorthShowing(flag.fallback) ? [`default: ${shown(flag.fallback)}`] : []),
    ...(flag.env === undefined ? [] : [`env: ${flag.env}`]),
  ]
  return facts.length === 0 ? flag.description : `${flag.description} (${facts.join('; ')})`
}

function isWorthShowing(fallback: Json | undefined): fallback is Json {
  if (fallback === undefined || fallback === null || typeof fallback === 'boolean') return false
  return !(Array.isArray(fallback) && fallback.length === 0)
}

function shown(fallback: Json): string {
  return Array.isArray(fallback) ? fallback.join(',') : String(fallback)
}

function argumentOf(positional: Positional): Argument {
  const dots = positional.variadic ? '...' : ''
  const name = positional.required ? `<${positional.name}${dots}>` : `[${positional.name}${dots}]`
  const facts = positional.choices === undefined ? '' : ` (one of ${positional.choices.join(', ')})`
  return new Argument(name, `${positional.description}${facts}`)
}

function bracket(argument: Argument): string {
  const dots = argument.variadic ? '...' : ''
  return argument.required ? `<${argument.name()}${dots}>` : `[${argument.name()}${dots}]`
}
