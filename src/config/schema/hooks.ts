/** `hooks`: commands before and after what a deploy does. Where they may stand is in `hooks.ts`. */
import { z } from 'zod'
import { command, duration, variablePattern } from './tasks.ts'
import { serviceName, variableName, withShortForms } from './words.ts'

export const hook = withShortForms(
  z.preprocess(
    (value) => (typeof value === 'string' || Array.isArray(value) ? { command: value } : value),
    z.strictObject({
      command: command.describe('A list of arguments; a plain string runs under `sh -c`.'),
      on: serviceName.optional().describe('Run it in a one-off container of this service, not on this machine.'),
      env: z.array(variablePattern).default([]).describe('Variables of this machine that are passed on.'),
      secrets: z.array(variableName).default([]).describe('Variables that are passed on and never shown.'),
      timeout: duration.default('10m').describe('How long it may take.'),
      on_failure: z.enum(['fail', 'warn']).default('fail').describe('`warn`: the deploy goes on.'),
    }),
  ),
  [command],
)
export type HookConfig = z.output<typeof hook>

/** By hook point. */
export const hooks = z.record(z.string(), hook)

/** Over those of all environments; `false` takes one away. */
export const environmentHooks = z.record(z.string(), z.union([z.literal(false), hook]))
