/**
 * The only place where a command line for a host is put together. SSH hands `exec` one string to the user's shell, so
 * every word is quoted for POSIX sh (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02).
 */
import type { Command } from '../../tasks/ports.ts'

/** One word in single quotes. @throws RangeError for a NUL, which no argument can hold. */
export function quoteWord(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL character')
  return `'${word.replaceAll("'", "'\\''")}'`
}

/**
 * A command line that runs `argv` as it is, in `cwd`, with `env` added to the environment.
 * The program replaces the shell, so signals and the exit code are the program's own.
 * @throws RangeError for what cannot be expressed: a NUL, a variable name a shell would not take.
 */
export function shellCommand(command: Pick<Command, 'argv' | 'cwd' | 'env'>): string {
  const variables = Object.entries(command.env ?? {})
  const invalid = variables.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (invalid !== undefined) throw new RangeError(`\`${invalid[0]}\` is not a name for an environment variable`)
  // `env` would take a program called `a=b` for one more variable.
  if (variables.length > 0 && command.argv[0].includes('=')) throw new RangeError(`cannot run \`${command.argv[0]}\` with variables`)
  const words = variables.length > 0 ? ['env', ...variables.map(([name, value]) => `${name}=${value}`), ...command.argv] : command.argv
  const run = `exec ${words.map(quoteWord).join(' ')}`
  return command.cwd === undefined ? run : `cd -- ${quoteWord(plainDirectory(command.cwd))} && ${run}`
}

/** `cd -` means the directory before, `--` or not. */
function plainDirectory(directory: string): string {
  return directory.startsWith('-') ? `./${directory}` : directory
}
