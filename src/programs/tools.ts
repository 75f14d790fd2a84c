import { exitFailure } from '../../tasks/exec/command-text.ts'
import { alwaysPassed } from '../../tasks/exec/request.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Environment, Programs } from '../../tasks/ports.ts'

const answerMs = 30_000

/**
 * Asks commands which versions are here, in the manifest's folder: each once in a run, however many tasks list it.
 * @throws TaskFailure when one fails.
 */
export function toolVersions(
  programs: Programs,
  environment: Environment,
  directory: string,
  signal: AbortSignal,
): (argv: readonly string[], variables?: Readonly<Record<string, string>>) => Promise<string> {
  const asked = new Map<string, Promise<string>>()
  const ask = async (argv: readonly string[], variables: Readonly<Record<string, string>>): Promise<string> => {
    const lines: string[] = []
    const env = { ...environment.matching([...alwaysPassed, 'HOME']), ...variables }
    const request = { argv: argv as [string, ...string[]], cwd: directory, env, timeoutMs: answerMs }
    const end = await programs.run(request, (line) => lines.push(line), signal)
    if (end.code === 0) return lines.join('\n')
    const failure = exitFailure(argv.join(' '), argv, end)
    const message = `${failure.message}; it is listed in \`tools\`, to tell a version`
    throw new TaskFailure({ ...failure, message, output: lines })
  }
  return (argv, variables = {}) => {
    const key = JSON.stringify([argv, variables])
    const known = asked.get(key)
    if (known !== undefined) return known
    const answer = ask(argv, variables)
    asked.set(key, answer)
    return answer
  }
}
