import type { TaskId } from '../../graph/types.ts'
import type { Node } from './node.ts'

/**
 * Gives each task its rank: of tasks that could start, the one with the longest chain of dependents goes first, since the whole run waits for
 * that chain; ties by the graph's order. @param nodes in an order in which dependencies come first.
 */
export function rankByUrgency(nodes: ReadonlyMap<TaskId, Node>): void {
  const chain = new Map<Node, number>()
  const inOrder = [...nodes.values()]
  for (const node of inOrder.toReversed()) {
    let longest = 0
    for (const dependent of node.dependents) longest = Math.max(longest, chain.get(dependent) ?? 0)
    chain.set(node, longest + 1)
  }
  // A sort is stable, so ties keep the graph's order.
  inOrder.sort((a, b) => (chain.get(b) ?? 0) - (chain.get(a) ?? 0))
  for (const [place, node] of inOrder.entries()) node.rank = place
}
