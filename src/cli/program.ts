import { CommanderError } from 'commander'
import type { z } from 'zod'
import type { Diagnostic } from '../../graph/types.ts'
import { type App, type CommandModule, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import { createPaint } from '../ui/paint.ts'
import { decideColor } from '../ui/terminal.ts'
import { normalArguments, splitCommand } from './argv.ts'
import { colorFlag } from './color-flag.ts'
import { createCommand, type Parsed, parse } from './command.ts'
import type { CommandTable } from './command-table.ts'
import { type Flag, type Positional, spelling } from './flag.ts'
import { globalFlags, globalOptionsOf } from './global-options.ts'
import { createGroup, createRoot, type RootOptions } from './root-help.ts'
import { usageDiagnostic } from './usage-error.ts'
import { flagValues } from './values.ts'
import { version } from './version.ts'

/**
 * Runs one command line. Loads only the command that was named, and runs it only when every word was understood.
 * @throws InputError for anything mistyped; whatever the command throws.
 */
export async function runCommandLine(argv: readonly string[], app: App, commands: CommandTable): Promise<ExitCode> {
  const screen: RootOptions = {
    commands,
    paint: createPaint(decideColor(colorFlag(argv), app.env, app.stdout)),
    width: Math.min(app.stdout.columns ?? 80, 100),
    write: (text) => void app.stdout.write(text),
  }
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
  const line = splitCommand(words, Object.keys(commands), globalFlags)
  const entry = line.name === undefined ? undefined : commands[line.name]
  if (line.name === undefined || entry === undefined) return withoutCommand(line.words, line.rest, screen)
  const call = await understand(line.name, await entry.load(), line.rest, app, screen)
  return call === undefined ? exitCodes.done : call.module.run(call.input, call.globals, app)
}

interface Call {
  readonly module: CommandModule
  readonly input: Parameters<CommandModule['run']>[0]
  readonly globals: GlobalOptions
}

/** @returns undefined when help was asked for and printed. */
async function understand(
  name: string,
  module: CommandModule,
  rest: readonly string[],
  app: App,
  screen: RootOptions,
): Promise<Call | undefined> {
  const { flagsOf, positionalsOf } = await import('./schema-flags.ts')
  const flags = flagsOf(module.options)
  const positionals = module.arguments === undefined ? [] : positionalsOf(module.arguments)
  refuseShadowing(name, flags)
  const all = [...flags, ...globalFlags]
  const { args, refused } = normalArguments(rest, all)
  const { examples = [], summary } = module
  const command = createCommand({ ...screen, name, summary, examples, flags, globals: globalFlags, positionals })
  const parsed = unlessHelp(() => parse(command, args))
  if (parsed === undefined) return undefined
  const own = flagValues(flags, parsed.flags, app.env)
  const shared = flagValues(globalFlags, parsed.flags, app.env)
  const diagnostics = [...refused.map(refusal), ...own.diagnostics, ...shared.diagnostics]
  if (shared.typed.has('quiet') && shared.typed.has('verbose'))
    diagnostics.push(problem('SC3007', '`--quiet` and `--verbose` exclude each other'))
  if (diagnostics.length > 0) throw new InputError(diagnostics)
  const input = { ...check(module.arguments, positionalValues(positionals, parsed), []), ...check(module.options, own.values, flags) }
  return { module, input, globals: globalOptionsOf(shared.values, shared.typed) }
}

function withoutCommand(words: readonly string[], rest: readonly string[], screen: RootOptions): ExitCode {
  const flags = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : undefined)
  if (words.length === 0 && flags.includes('--version')) screen.write(`stagecraft ${version()}\n`)
  else if (words.length === 0) unlessHelp(() => createRoot(screen).parse([...rest, '--help'], { from: 'user' }))
  else {
    const isGroup = Object.keys(screen.commands).some((name) => name.startsWith(`${words.join(' ')} `))
    const group = createGroup(isGroup ? words : words.slice(0, -1), screen)
    if (isGroup && !flags.includes('--help') && !flags.includes('-h')) {
      const next = group.commands.map((command) => `\`${command.name()}\``).join(' or ')
      throw new InputError([problem('SC3002', `\`${words.join(' ')}\` needs one more word: ${next}`)])
    }
    unlessHelp(() => group.parse(isGroup ? ['--help'] : words.slice(-1), { from: 'user' }))
  }
  return exitCodes.done
}

/** @returns undefined when commander printed help. @throws InputError in the place of commander's own errors. */
function unlessHelp<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return undefined
    throw new InputError([usageDiagnostic(error)])
  }
}

/** Lets the schema have the last word on values whose text was fine: ranges, lengths, what is required. */
function check(
  schema: z.ZodObject | undefined,
  values: Readonly<Record<string, unknown>>,
  flags: readonly Flag[],
): Record<string, unknown> {
  const result = schema?.safeParse(values)
  if (result === undefined) return {}
  if (result.success) return result.data
  throw new InputError(
    result.error.issues.map((issue) => {
      const key = String(issue.path[0] ?? '')
      const flag = flags.find((candidate) => candidate.key === key)
      const name = flag === undefined ? `<${key}>` : spelling(flag)
      if (values[key] === undefined) return problem('SC3005', `\`${name}\` is required`)
      return problem(
        'SC3004',
        `\`${name}\` is \`${String(values[key])}\`: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`,
      )
    }),
  )
}

function positionalValues(positionals: readonly Positional[], parsed: Parsed): Record<string, unknown> {
  const given = positionals.map(({ key, variadic }, index) => [key, parsed.positionals[index] ?? (variadic ? [] : undefined)] as const)
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

/** A command that declared a global flag again would hide its short form and its variable (a bug of ours, so a plain Error). */
function refuseShadowing(name: string, flags: readonly Flag[]): void {
  for (const flag of flags) {
    const twin = globalFlags.find((shared) => shared.name === flag.name || (flag.alias !== undefined && shared.alias === flag.alias))
    if (twin !== undefined || flag.name === 'help' || flag.alias === 'h')
      throw new Error(`command ${name} declares ${spelling(flag)} again`)
  }
}

function refusal([flag, value]: readonly [Flag, string]): Diagnostic {
  const wanted = flag.shape === 'optional' ? 'has nothing after `=`' : `is \`${value}\`, which is neither true nor false`
  return problem('SC3004', `\`--${flag.name}\` ${wanted}`)
}

function problem(code: `SC${number}`, message: string): Diagnostic {
  return { code, severity: 'error', message }
}
