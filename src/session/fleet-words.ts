/** `--host`, `--role`, `--services`: which part of the fleet a person means. Pure. */
import type { Checked } from '../../graph/types.ts'
import type { Deployment } from '../contracts.ts'
import { type FleetPart, hostsInScope, scopeOf } from '../pipelines/fleet-part.ts'
import { hostsNamed, unknownNames } from './selected-hosts.ts'

export interface FleetWords {
  readonly host?: readonly string[] | undefined
  readonly role?: readonly string[] | undefined
  readonly services?: readonly string[] | undefined
  /** Names of hosts that are known not to answer. */
  readonly unreachable?: readonly string[] | undefined
}

/** @returns undefined for all of the fleet. */
export function fleetPart({ host, role, services, unreachable }: FleetWords, deployment: Deployment): Checked<FleetPart | undefined> {
  if (!host && !role && !services && !unreachable) return { ok: true, value: undefined }
  const diagnostics = unknownNames(deployment, { host, role, service: services })
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  const part: FleetPart = {
    ...((host || role) && { hosts: hostsNamed(deployment, { host, role }).map(({ name }) => name) }),
    ...(services && { services: [...new Set(services)].sort() }),
    ...(unreachable && { unreachable }),
  }
  const scope = scopeOf(deployment, part)
  if (deployment.services.some((service) => hostsInScope(service, scope).length > 0)) return { ok: true, value: part }
  const message = unreachable
    ? 'no host that answers has anything to deploy'
    : 'nothing is deployed there: none of these services runs on any of these hosts'
  return { ok: false, diagnostics: [{ code: 'SC3131', severity: 'error', message }] }
}
