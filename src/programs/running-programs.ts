/** Programs that run now, so that none outlives this process however it is left. */
import { killTree, type ProcessTree } from './process-tree.ts'

const running = new Set<ProcessTree>()

/** They die with us even when we leave by `process.exit`, as on a second Ctrl-C, where nothing asynchronous runs any more. */
function killAll(): void {
  for (const tree of running) killTree(tree)
}

/** @returns forgets it again, once nothing of it is left that is ours to end. */
export function adoptTree(tree: ProcessTree): () => void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(tree)
  return () => {
    running.delete(tree)
    if (running.size === 0) process.off('exit', killAll)
  }
}
