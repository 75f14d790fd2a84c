/** The journal of a run of a project. */
import { hostname } from 'node:os'
import type { Outcome, TaskGraph, TaskId } from '../../graph/types.ts'
import type { App } from '../contracts.ts'
import type { TakenBack } from '../execution/take-back.ts'
import { localUser } from '../hosts/local-user.ts'
import { lockedHosts } from '../pipelines/fleet-part.ts'
import type { HostPool } from './hosts.ts'
import type { Project } from './open-project.ts'
import { type EnvironmentJournal, environmentJournal, type JournalOptions } from './run-journal.ts'

export function openJournal(
  { deployment, part, release }: Project,
  what: string | undefined,
  hosts: HostPool,
  app: App,
  around: Pick<JournalOptions, 'warn' | 'guard'>,
): EnvironmentJournal {
  return environmentJournal(hosts, {
    ...around,
    hosts: lockedHosts(deployment, part),
    primaryHost: deployment.primaryHost,
    who: `${localUser(app.env)}@${hostname()}`,
    what,
    version: release.version,
    now: () => app.now(),
  })
}

/** A release was finished, or everything that was changed went back: nothing is left for a later run to take back. Pure. */
export function isSettled(graph: TaskGraph, outcomes: ReadonlyMap<TaskId, Outcome>, back: TakenBack | undefined): boolean {
  const ends = graph.order.filter((id) => graph.task(id).kind === 'finalize').map((id) => outcomes.get(id)?.status)
  return (ends.length > 0 && ends.every((status) => status === 'ran' || status === 'skipped')) || back?.failed.size === 0
}
