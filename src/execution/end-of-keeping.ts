import type { TaskId } from '../../graph/types.ts'
import type { Node } from './node.ts'
import type { RunOptions } from './run-options.ts'

/** A service that was asked for runs until it is told to stop, or something failed and all else has ended. */
export function endOfKeeping(
  nodes: ReadonlyMap<TaskId, Node>,
  { kinds, signal }: Pick<RunOptions, 'kinds' | 'signal'>,
  firstFailure: Promise<void>,
): Promise<unknown> {
  const isService = ({ task }: Node) => kinds.get(task.kind)?.isService?.(task.params) ?? false
  const others = () => Promise.all([...nodes.values()].filter((one) => !isService(one)).map(({ ended }) => ended.promise))
  const interrupted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  return Promise.race([interrupted, firstFailure.then(others)])
}
