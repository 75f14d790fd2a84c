/** What an operation on a fleet leaves in the audit. */
import { type ActNote, actNote } from '../../audit/acts.ts'
import type { App } from '../../contracts.ts'
import type { Fleet } from '../fleet.ts'

/** @param locked names of hosts whose lock is held when it is called; default those that are selected. */
export function fleetNote(fleet: Fleet, app: App, locked: readonly string[] = fleet.hosts.map(({ name }) => name)): ActNote {
  return actNote(fleet, fleet.deployment.primaryHost, locked, app)
}
