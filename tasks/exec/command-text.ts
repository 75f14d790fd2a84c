/** How a command and its end read to a person. */
import { constants } from 'node:os'
import type { Failure } from '../../graph/types.ts'
import type { ProgramEnd } from '../ports.ts'

/** As it was typed: what runs under a shell is the line itself, an argument that a shell would take apart is quoted. */
export function commandText(argv: readonly string[]): string {
  const [program = '', option, line] = argv
  if (program === 'sh' && option === '-c' && line !== undefined && argv.length === 3) return line.trim()
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}

/** `exited with code 3`, `was ended by SIGSEGV`. */
export function endText({ code, signal }: ProgramEnd): string {
  if (signal !== undefined) return `was ended by ${signal}`
  // A shell says in this way how its last command ended.
  const inner = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0]
  return `exited with code ${code}${inner === undefined ? '' : ` (${inner})`}`
}

/** A command that ended otherwise than well. `subject` is the task's name. */
export function exitFailure(subject: string, argv: readonly string[], end: ProgramEnd): Failure {
  const remedy = remedyFor(end)
  return { reason: 'exit', subject, message: `\`${commandText(argv)}\` ${endText(end)}`, ...(remedy === undefined ? {} : { remedy }) }
}

/** What the codes mean by convention of the shells. */
function remedyFor({ code, signal }: ProgramEnd): string | undefined {
  if (code === 126)
    return 'a file it was to run may not be executed: make it executable with chmod +x, and see that its first line names a program'
  if (code === 127)
    return 'a program was not found: install it, and see that its folder is in PATH; variables that `env` and `pass_env` do not name are withheld'
  if (code === 137 && signal !== undefined)
    return 'when nobody ended it by hand, the system ran out of memory: try a lower `--concurrency`, or a `pool`'
  return undefined
}
