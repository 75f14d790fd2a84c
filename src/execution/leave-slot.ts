import type { TaskId } from '../../graph/types.ts'
import type { Node } from './node.ts'
import type { Claim, Slots } from './slots.ts'

/**
 * Gives the slot of a task away whose program has ended well: while its result is captured and stored, another program may run. Not one at a time:
 * what fails in that moment still stops what comes next. And not when a task that is about to become ready is more urgent than all that could
 * take the slot.
 */
export function leaveSlot(node: Node | undefined, nodes: ReadonlyMap<TaskId, Node>, slots: Slots): void {
  if (!node?.claim || slots.widthOf(node.claim) === 1) return
  node.isNearlyKnown = true
  const firstRank = slots.firstRank(node.claim)
  if (node.dependents.some((dependent) => dependent.rank < firstRank && isNearlyReady(dependent, nodes))) return
  slots.release(node.claim)
  node.claim = undefined
}

function isNearlyReady({ dependencies }: Node, nodes: ReadonlyMap<TaskId, Node>): boolean {
  return dependencies.every((id) => {
    const dependency = nodes.get(id)
    return dependency?.known !== undefined || dependency?.isNearlyKnown
  })
}

/** Does `work` while others may have the slots; resolves when they are had again. */
export async function awayFromSlots<T>(claim: Claim | undefined, slots: Slots, work: () => Promise<T>): Promise<T> {
  if (!claim) return work()
  slots.release(claim)
  try {
    return await work()
  } finally {
    await slots.acquire(claim)
  }
}
