import type { TaskGraph } from '../../graph/types.ts'
import type { Run } from '../contracts.ts'

/** Starts every task, in the graph's order, and waits for all of them. */
export async function everyOutcome(graph: TaskGraph, run: Run): Promise<void> {
  await Promise.all(graph.order.map((id) => run.outcome(id)))
}
