/** `--host`, `--role`, `--services`: which part of the fleet a person means. Pure. */
import { nearest } from '../../graph/nearest.ts'
import type { Checked, Diagnostic } from '../../graph/types.ts'
import type { Deployment } from '../contracts.ts'
import { type FleetPart, hostsInScope, scopeOf } from '../pipelines/fleet-part.ts'

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
  const names = deployment.hosts.map(({ name }) => name)
  const roles = [...new Set(deployment.hosts.flatMap((one) => one.roles))]
  const diagnostics = [
    ...unknown('host', host, names),
    ...unknown('role', role, roles),
    ...unknown(
      'service',
      services,
      deployment.services.map(({ name }) => name),
    ),
  ]
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  const withRole = deployment.hosts.filter((one) => one.roles.some((has) => role?.includes(has))).map(({ name }) => name)
  const part: FleetPart = {
    ...((host || role) && { hosts: [...new Set([...(host ?? []), ...withRole])].sort() }),
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

function unknown(what: string, given: readonly string[] | undefined, known: readonly string[]): Diagnostic[] {
  return (given ?? [])
    .filter((name) => !known.includes(name))
    .map((name) => {
      const suggestion = nearest(name, known)
      const message = `no ${what} is called \`${name}\`: expected ${known.length > 0 ? `one of ${known.join(', ')}` : `none, as there are no ${what}s`}`
      return { code: 'SC3130', severity: 'error', message, ...(suggestion === undefined ? {} : { suggestion }) }
    })
}
