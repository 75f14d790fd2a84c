import { z } from 'zod'
import { completionScripts, shells } from '../cli/completion-scripts.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'

export const summary = 'print a completion script for bash, fish or zsh'
export const feature = 'CLI_COMPLETION'
const positionals = z.strictObject({ shell: z.enum(shells).describe('shell to print it for') })

export { positionals as arguments }
export const options = z.strictObject({})
export const examples = [
  'source <(stagecraft completion bash)',
  'stagecraft completion zsh > ~/.zfunc/_stagecraft',
  'stagecraft completion fish > ~/.config/fish/completions/stagecraft.fish',
]

/** Prints the script; where to put it is in the examples. */
export async function run(input: z.infer<typeof positionals>, _globals: GlobalOptions, app: App): Promise<ExitCode> {
  app.stdout.write(completionScripts[input.shell])
  return exitCodes.done
}
