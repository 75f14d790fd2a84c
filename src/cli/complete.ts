import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type App, type ExitCode, exitCodes } from '../contracts.ts'
import { splitCommand } from './argv.ts'
import type { CommandTable } from './command-table.ts'
import { type Flag, type Positional, spelling, takesValue } from './flag.ts'
import { globalFlags } from './global-options.ts'

/** What may stand at the cursor. */
interface Candidate {
  readonly text: string
  readonly description: string
}

/**
 * `stagecraft __complete -- words…`: prints what may take the place of the last word, one a line, description after a tab.
 * Says nothing, and succeeds, when anything is wrong: an error message would land in the middle of someone's prompt.
 */
export async function complete(
  words: readonly string[],
  app: Pick<App, 'cwd' | 'env' | 'stdout'>,
  commands: CommandTable,
): Promise<ExitCode> {
  try {
    const found = await candidates(words, app, commands)
    const last = words.at(-1) ?? ''
    const fitting = found.filter(({ text }) => text.startsWith(last)).sort((a, b) => (a.text < b.text ? -1 : 1))
    app.stdout.write(fitting.map(({ text, description }) => `${text}\t${description}\n`).join(''))
  } catch {
    return exitCodes.done
  }
  return exitCodes.done
}

async function candidates(words: readonly string[], app: Pick<App, 'cwd' | 'env'>, commands: CommandTable): Promise<Candidate[]> {
  const before = words.slice(0, -1)
  const last = words.at(-1) ?? ''
  if (before.includes('--')) return []
  const line = splitCommand(before, Object.keys(commands), globalFlags)
  const entry = line.name === undefined ? undefined : commands[line.name]
  const { flags, positionals } = entry === undefined ? { flags: globalFlags, positionals: [] } : await membersOf(entry)
  const equals = last.startsWith('--') ? last.indexOf('=') : -1
  if (equals > 0) {
    const values = await valuesOf(flagNamed(last.slice(0, equals), flags), words, app)
    return values.map(({ text, description }) => ({ text: `${last.slice(0, equals + 1)}${text}`, description }))
  }
  const open = flagNamed(before.at(-1) ?? '', flags)
  if (open !== undefined && takesValue(open)) return valuesOf(open, words, app)
  if (last.startsWith('-')) return flagCandidates(flags, entry === undefined)
  if (entry === undefined) return commandCandidates(line.words, commands)
  return positionalCandidates(line.rest, flags, positionals)
}

async function membersOf(entry: CommandTable[string]): Promise<{ flags: readonly Flag[]; positionals: readonly Positional[] }> {
  const [{ flagsOf, positionalsOf }, module] = await Promise.all([import('./schema-flags.ts'), entry.load()])
  const positionals = module.arguments === undefined ? [] : positionalsOf(module.arguments)
  return { flags: [...flagsOf(module.options), ...globalFlags], positionals }
}

function flagNamed(word: string, flags: readonly Flag[]): Flag | undefined {
  return flags.find((flag) => word === `--${flag.name}` || word === `-${flag.alias}`)
}

function flagCandidates(flags: readonly Flag[], atRoot: boolean): Candidate[] {
  const visible = flags.filter((flag) => !flag.hidden).map((flag) => ({ text: spelling(flag), description: flag.description }))
  const version = atRoot ? [{ text: '--version', description: 'print the version' }] : []
  return [...visible, ...version, { text: '--help', description: 'show help' }]
}

function commandCandidates(words: readonly string[], commands: CommandTable): Candidate[] {
  const prefix = words.map((word) => `${word} `).join('')
  const found = new Map<string, string>()
  for (const [name, { summary }] of Object.entries(commands)) {
    const [next = '', ...more] = name.slice(prefix.length).split(' ')
    if (name.startsWith(prefix)) found.set(next, more.length === 0 ? summary : '')
  }
  return [...found].map(([text, description]) => ({ text, description }))
}

function positionalCandidates(rest: readonly string[], flags: readonly Flag[], positionals: readonly Positional[]): Candidate[] {
  let index = 0
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? ''
    if (!word.startsWith('-')) index++
    else if (flagNamed(word, flags)?.shape !== undefined && takesValue(flagNamed(word, flags) as Flag)) at++
  }
  const last = positionals.at(-1)
  const positional = positionals[index] ?? (last?.variadic ? last : undefined)
  return (positional?.choices ?? []).map((text) => ({ text, description: '' }))
}

async function valuesOf(flag: Flag | undefined, words: readonly string[], app: Pick<App, 'cwd' | 'env'>): Promise<Candidate[]> {
  if (flag?.key === 'env' && globalFlags.includes(flag)) return environmentNames(manifestPath(words, app))
  return (flag?.choices ?? []).map((text) => ({ text, description: '' }))
}

function manifestPath(words: readonly string[], app: Pick<App, 'cwd' | 'env'>): string {
  const joined = words.find((word) => word.startsWith('--config='))?.slice('--config='.length)
  const at = words.findIndex((word) => word === '-c' || word === '--config')
  return resolve(app.cwd, joined ?? (at < 0 ? undefined : words[at + 1]) ?? (app.env['STAGECRAFT_CONFIG'] || 'stagecraft.yml'))
}

/** The manifest is read as it stands, half-typed or invalid: names are all that is wanted. */
async function environmentNames(path: string): Promise<Candidate[]> {
  const [{ parseDocument, isMap, isScalar }, text] = await Promise.all([import('yaml'), readFile(path, 'utf8')])
  const environments = parseDocument(text).get('environments')
  if (!isMap(environments)) return []
  return environments.items.flatMap(({ key }) => (isScalar(key) ? [{ text: String(key.value), description: 'environment' }] : []))
}
