import { z } from 'zod'
import type { App, ExitCode, GlobalOptions } from '../contracts.ts'
import { checkGovernance } from '../operations/gov/check.ts'

export const summary = 'check that register, spec pages and decision records agree'
export const feature = 'CLI_GOV_CHECK'
export const options = z.strictObject({ format: z.enum(['text', 'json']).default('text').describe('form of the result') })
export const examples = ['stagecraft gov check', 'stagecraft gov check --format json']

export function run(input: z.output<typeof options>, globals: GlobalOptions, app: App): Promise<ExitCode> {
  return checkGovernance(input, globals, app)
}
