/**
 * Ends a program in a container. The Engine has no request for it, and tells no number the container itself would know the program by; so
 * the program carries a mark in its environment, and a second one finds all that carry it.
 */
import { randomUUID } from 'node:crypto'
import type { HostOperator } from '../../hosts/operator.ts'
import { listen } from './converse.ts'

export const markVariable = 'STAGECRAFT_EXEC'

export function newMark(): string {
  return randomUUID()
}

/** Fixed text: what varies is in its arguments. `$1` is a signal without SIG, `$2` the mark. */
const script = `found=1
for file in /proc/[0-9]*/environ; do
  if tr '\\000' '\\n' <"$file" | grep -q -x -F -e "${markVariable}=$2"; then
    number=\${file#/proc/}
    kill -s "$1" "\${number%/environ}" && found=0
  fi
done
exit $found
`

/** @returns false when the container has no shell to do it with, or nothing carries the mark. @throws TaskFailure */
export async function stopProgram(
  operator: HostOperator,
  target: { readonly container: string; readonly user?: string; readonly mark: string },
  signal: NodeJS.Signals,
): Promise<boolean> {
  const { container, user, mark } = target
  const argv = ['sh', '-s', signal.replace(/^SIG/, ''), mark]
  const running = await operator.start({ container, argv, input: true, ...(user !== undefined && { user }) })
  running.stream.end(script)
  await listen(running, false, () => undefined)
  return (await running.exitCode()) === 0
}
