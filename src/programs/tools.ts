import { TaskFailure } from '../../tasks/kind.ts'
import type { Environment, Programs } from '../../tasks/ports.ts'

/** Asks commands which versions are here: each once in a run. @throws TaskFailure when one fails. */
export function toolVersions(
  programs: Programs,
  environment: Environment,
  directory: string,
  signal: AbortSignal,
): (argv: readonly string[]) => Promise<string> {
  const asked = new Map<string, Promise<string>>()
  const ask = async (argv: readonly string[]): Promise<string> => {
    const lines: string[] = []
    const request = { argv: argv as [string, ...string[]], cwd: directory, env: environment.matching(['PATH', 'HOME']), timeoutMs: 30_000 }
    const { code } = await programs.run(request, (line) => lines.push(line), signal)
    if (code === 0) return lines.join('\n')
    throw new TaskFailure({
      reason: 'exit',
      subject: argv[0] ?? '',
      message: `\`${argv.join(' ')}\`, which is to tell a tool's version, exited with code ${code}`,
      output: lines,
    })
  }
  return (argv) => {
    const key = JSON.stringify(argv)
    const known = asked.get(key)
    if (known !== undefined) return known
    const answer = ask(argv)
    asked.set(key, answer)
    return answer
  }
}
