import type { CommanderError } from 'commander'
import type { Diagnostic } from '../../graph/types.ts'

const codes: Readonly<Record<string, `SC${number}`>> = {
  'commander.unknownCommand': 'SC3002',
  'commander.unknownOption': 'SC3003',
  'commander.optionMissingArgument': 'SC3004',
  'commander.missingArgument': 'SC3005',
  'commander.excessArguments': 'SC3006',
}

/** Turns commander's text into a diagnostic in our own form; its guess becomes the suggestion. */
export function usageDiagnostic(error: CommanderError): Diagnostic {
  const [first = '', guess = ''] = error.message.split('\n')
  const suggestion = /^\(Did you mean (?:one of )?([^,?]+)/.exec(guess)?.[1]
  return {
    code: codes[error.code] ?? 'SC3004',
    severity: 'error',
    message: first
      .replace(/^error: /, '')
      .replace('option', 'flag')
      .replace(/\.$/, '')
      .replace(/'([^']+)'/g, '`$1`'),
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}
