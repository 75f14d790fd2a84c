import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { exitCodeOfChecks } from '../operations/doctor/check.ts'
import { doctorText } from '../operations/doctor/doctor-text.ts'
import { examine } from '../operations/doctor/run-doctor.ts'
import { createPaint } from '../ui/paint.ts'
import { decideColor } from '../ui/terminal.ts'

export const summary = 'find everything a deploy would trip over, and say what helps'
export const feature = 'CLI_DOCTOR'
export const options = z.strictObject({ format: z.enum(['text', 'json']).default('text').describe('form of the result') })
export const examples = ['stagecraft doctor', 'stagecraft doctor --env prod', 'stagecraft doctor --env prod --format json']

/** Looks at this machine, the project, registries, hosts and databases; changes nothing. */
export async function run(input: z.infer<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const checks = await examine(globals, app)
  const paint = createPaint(decideColor(globals.color, app.env, app.stdout))
  app.stdout.write(input.format === 'json' ? `${JSON.stringify({ checks }, null, 2)}\n` : doctorText(checks, paint))
  return exitCodeOfChecks(checks)
}
