import { z } from 'zod'
import { manifestSchemaText } from '../config/manifest-json-schema.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../contracts.ts'
import { builtInProviders } from '../providers/built-in.ts'
import { writeResult } from '../session/write-result.ts'

export const summary = 'print the JSON Schema of stagecraft.yml, for editors'
export const feature = 'CLI_CONFIG'
export const options = z.strictObject({
  out: z.string().optional().describe('write it to this file').meta({ value: '<file>' }),
})
export const examples = ['stagecraft config schema', 'stagecraft config schema --out .stagecraft/stagecraft.schema.json']

/** That of this version, whatever manifest is there. @throws TaskFailure when the file cannot be written. */
export function run({ out }: z.output<typeof options>, { dryRun }: GlobalOptions, app: App): Promise<ExitCode> {
  writeResult(manifestSchemaText(builtInProviders()), dryRun ? undefined : out, app)
  return Promise.resolve(exitCodes.done)
}
