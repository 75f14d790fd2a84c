/** What stands around other tasks, in one run: whether it is its turn. */
import type { Outcome, TaskId } from '../../graph/types.ts'
import type { TaskKind } from '../../tasks/kind.ts'
import { shortName } from '../ui/task-name.ts'
import { Forerunner } from './forerunner.ts'
import type { Node } from './node.ts'
import type { TaskAttempt } from './task-run.ts'

/** Of what comes before tasks none of which ran. */
const nothingRan: Outcome = {
  status: 'skipped',
  result: { files: {}, values: {} },
  from: 'local',
  how: 'not-needed',
  detail: 'not needed: nothing it stands around runs',
}

/** Why what comes after others is to run: one of them did. Empty for all else. */
export function dueAfter({ task }: Node, kind: TaskKind, nodes: ReadonlyMap<TaskId, Node>): Pick<TaskAttempt, 'due'> {
  const { after, exclusive = false } = kind.around?.(task.params) ?? {}
  const first = after?.find((id) => nodes.get(id)?.outcome?.status === 'ran')
  return first === undefined ? {} : { due: { because: { reason: 'need', detail: `${shortName(first)} ran` }, exclusive } }
}

/**
 * What comes before others, until it has run or nobody can need it any more; with nothing after it, it was asked for itself.
 * @param letOthersLook called once those others may be looked at.
 */
export async function goBefore(node: Node, run: (because: string) => Promise<Outcome>, letOthersLook: () => void): Promise<Outcome> {
  const { task, dependents } = node
  const forerunner = new Forerunner(task.id, run)
  node.forerunner = forerunner
  letOthersLook()
  if (dependents.length === 0) await forerunner.require('it was asked for')
  const users = Promise.all(dependents.map(({ ended }) => ended.promise))
  return (await forerunner.over(users)) ?? (await users).find(({ status }) => status === 'canceled') ?? nothingRan
}

export function forerunnersOf({ dependencies }: Node, nodes: ReadonlyMap<TaskId, Node>): readonly Forerunner[] {
  return dependencies.flatMap((id) => nodes.get(id)?.forerunner ?? [])
}
