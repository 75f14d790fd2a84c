import { spelling } from '../../cli/flag.ts'
import { globalFlags } from '../../cli/global-options.ts'
import { flagsOf } from '../../cli/schema-flags.ts'
import { type App, exitCodes } from '../../contracts.ts'
import type { ProgramFacts } from '../../gov/repository.ts'

/** What this very program says of itself; loads every command. */
export async function ownProgram({ commands = {} }: Pick<App, 'commands'>): Promise<ProgramFacts> {
  const facts = Object.entries(commands).map(async ([name, entry]) => {
    const { feature, options } = await entry.load()
    return { name, feature, flags: flagsOf(options).map((flag) => spelling(flag).slice('--'.length)) }
  })
  return {
    commands: await Promise.all(facts),
    globalFlags: globalFlags.map(({ name }) => name),
    exitCodes: Object.values(exitCodes).sort((a, b) => a - b),
  }
}
