import { arch, platform } from 'node:process'
import { z } from 'zod'
import { version } from '../cli/version.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'

export const summary = 'print the version'
export const feature = 'CLI_VERSION'
export const options = z.strictObject({})
export const examples = ['stagecraft version', 'stagecraft version --verbose']

/** Prints name and version; `--verbose` adds what a bug report needs. */
export async function run(_input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const lines = [`stagecraft ${version()}`]
  if (globals.verbose) lines.push(`node ${process.versions.node}`, `platform ${platform}-${arch}`)
  app.stdout.write(`${lines.join('\n')}\n`)
  return exitCodes.done
}
