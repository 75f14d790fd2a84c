import { TaskFailure } from '../kind.ts'
import { sortedNames } from './json.ts'

/** Letters, digits and what compose-go's parser allows besides; a name that begins with a digit is ignored by it. */
const nameCompose = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/**
 * A dotenv file that Docker Compose reads back as exactly these values, sorted by name.
 *
 * Protocol: compose-go's `dotenv` package. Single quotes are literal there but cannot hold every mix of quotes and
 * backslashes, and older releases differ on them, so they are used only for values with neither; double quotes take
 * `\\`, `\"` and `\$`. Line breaks stand as they are. A POSIX shell reads the same values.
 *
 * @throws TaskFailure for a name or value no environment can hold. The message does not show the value.
 */
export function renderEnvFile(values: Readonly<Record<string, string>>): string {
  return sortedNames(Object.keys(values))
    .map((name) => `${checkedName(name)}=${quoted(name, values[name] ?? '')}\n`)
    .join('')
}

function checkedName(name: string): string {
  if (nameCompose.test(name)) return name
  throw new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `\`${name}\` cannot be the name of a variable in an env file: expected letters, digits, \`_\`, \`.\` and \`-\`, not beginning with a digit`,
    remedy: 'rename the variable',
  })
}

function quoted(name: string, value: string): string {
  if (value.includes('\0')) {
    throw new TaskFailure({
      reason: 'refused',
      subject: name,
      message: `the value of \`${name}\` contains a NUL character, which no environment variable can hold`,
      remedy: 'encode the value, for example as base64',
    })
  }
  if (!/['\\]/.test(value)) return `'${value}'`
  return `"${value.replace(/[\\"$]/g, '\\$&')}"`
}
