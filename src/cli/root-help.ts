import { type Command, Option } from 'commander'
import type { Paint } from '../ui/paint.ts'
import { exampleText, silentCommand } from './command.ts'
import { type CommandTable, commandGroups } from './command-table.ts'

export interface RootOptions {
  readonly commands: CommandTable
  readonly paint: Paint
  readonly width: number
  write(text: string): void
}

const examples = ['stagecraft init', 'stagecraft plan --env prod', 'stagecraft deploy --env prod']

/** The program as a list of its commands; it explains, and guesses what a mistyped word was meant to be. Loads no command. */
export function createRoot(options: RootOptions): Command {
  const root = silentCommand('stagecraft', options)
    .usage('<command> [options]')
    .description('From git clone to production on your own hosts: every operation a cached task in one graph.')
    .addHelpOption(new Option('-h, --help', 'show this help'))
    .addOption(new Option('--version', 'print the version'))
    .helpCommand(false)
  for (const [group, heading] of Object.entries(commandGroups)) {
    for (const [name, entry] of Object.entries(options.commands)) {
      if (entry.group === group) root.addCommand(silentCommand(name, options).description(entry.summary).helpGroup(`${heading}:`))
    }
  }
  const more = '`stagecraft <command> --help` shows its flags, and those every command has.\nThe guide is in docs/guide.'
  return root.addHelpText('after', `${exampleText(examples, options.paint)}\n\n${options.paint.dim(more)}`)
}

/** A command whose subcommands are the words that may follow `prefix`, for commander to compare a mistyped word with. */
export function createGroup(prefix: readonly string[], options: RootOptions): Command {
  const group = silentCommand(['stagecraft', ...prefix].join(' '), options).helpCommand(false)
  group.usage('<command> [options]').addHelpOption(new Option('-h, --help', 'show this help'))
  const start = prefix.map((word) => `${word} `).join('')
  const known = new Set<string>()
  for (const [name, entry] of Object.entries(options.commands)) {
    const next = name.slice(start.length).split(' ')
    const word = next[0]
    if (!name.startsWith(start) || word === undefined || known.has(word)) continue
    known.add(word)
    const summary = next.length === 1 ? entry.summary : ''
    group.addCommand(silentCommand(word, options).description(summary).allowExcessArguments())
  }
  return group
}
