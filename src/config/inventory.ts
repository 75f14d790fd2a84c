/** The hosts of one environment, and which of them is the primary. */

import { nearest } from '../../graph/nearest.ts'
import type { HostAddress } from '../contracts.ts'
import type { LoadedConfig } from './config.ts'
import { problem, type Report } from './diagnostic.ts'
import { type JsonPath, own } from './json-path.ts'
import type { HostConfig, InventoryConfig } from './schema/hosts.ts'
import { listed } from './word-list.ts'

export interface Inventory {
  /** Sorted by name; empty for a local environment. */
  readonly hosts: readonly HostAddress[]
  readonly primaryHost?: string
  /** One host that says nothing of roles runs every service, whatever its role. */
  readonly takesAll: boolean
}

/** `environment` must be one of the manifest's. */
export function resolveInventory(loaded: LoadedConfig, environment: string, report: Report): Inventory {
  const settings = own(loaded.config.environments, environment)
  if (!settings) throw new RangeError(`no environment ${environment}`)
  const at: JsonPath = ['environments', environment]
  const from: JsonPath = settings.hosts ? [...at, 'hosts'] : ['hosts']
  const written = settings.hosts ?? loaded.config.hosts
  const local = settings.driver === 'local'
  const hosts = written && !local ? mergeHosts(written, from, loaded, report) : []
  if (local && settings.hosts && entries(settings.hosts, from).length > 0) {
    report(problem('SC1021', `environment \`${environment}\` is local but has hosts`, loaded.locateKey([...at, 'hosts'])))
  }
  if (settings.driver === 'remote' && hosts.length === 0) {
    report(problem('SC1021', `environment \`${environment}\` is remote but has no hosts`, loaded.locate([...at, 'driver'])))
  }
  const primaryHost = choosePrimary(settings.primary_host, hosts, [...at, 'primary_host'], loaded, report)
  const takesAll = hosts.length === 1 && hosts[0]?.roles.length === 0
  return { hosts, takesAll, ...(primaryHost !== undefined && { primaryHost }) }
}

/** Does a host with this role exist, as far as this environment needs one? */
export function checkRole(
  role: string,
  at: JsonPath,
  environment: string,
  inventory: Inventory,
  loaded: LoadedConfig,
  report: Report,
): void {
  if (inventory.hosts.length === 0 || inventory.takesAll) return
  const roles = new Set(inventory.hosts.flatMap((host) => host.roles))
  if (roles.has(role)) return
  const notes = [{ message: roles.size === 0 ? 'its hosts have no roles' : `its hosts have ${listed(roles)}` }]
  const message = `no host of environment \`${environment}\` has role \`${role}\``
  report(problem('SC1024', message, loaded.locate(at), { suggestion: nearest(role, roles), notes }))
}

interface Entry {
  readonly host: HostConfig
  readonly roles: readonly string[]
  readonly at: JsonPath
}

function entries(inventory: InventoryConfig, from: JsonPath): Entry[] {
  if (Array.isArray(inventory)) return inventory.map((host, index) => ({ host, roles: host.roles, at: [...from, index] }))
  return Object.entries(inventory).flatMap(([role, hosts]) =>
    hosts.map((host, index) => ({ host, roles: [role, ...host.roles], at: [...from, role, index] })),
  )
}

/** A host may stand under several roles, but must be the same host everywhere. */
function mergeHosts(inventory: InventoryConfig, from: JsonPath, loaded: LoadedConfig, report: Report): HostAddress[] {
  const byName = new Map<string, HostAddress>()
  for (const { host, roles, at } of entries(inventory, from)) {
    const known = byName.get(host.name)
    const origin = loaded.locate(at)
    if (known && !sameMachine(known, host)) {
      const notes = [{ message: 'the other one', ...(known.origin && { location: known.origin }) }, { message: 'give each its own `name`' }]
      report(problem('SC1022', `two hosts are called \`${host.name}\``, origin, { notes }))
      continue
    }
    byName.set(host.name, {
      name: host.name,
      address: host.address,
      ...(host.private_address !== undefined && { privateAddress: host.private_address }),
      ...(host.user !== undefined && { user: host.user }),
      ...(host.port !== undefined && { port: host.port }),
      ...(host.identity_file !== undefined && { identityFile: host.identity_file }),
      ...(host.jump !== undefined && { jump: host.jump }),
      roles: [...new Set([...(known?.roles ?? []), ...roles])].sort(),
      origin: known?.origin ?? origin,
    })
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function sameMachine(known: HostAddress, host: HostConfig): boolean {
  return (
    known.address === host.address &&
    known.privateAddress === host.private_address &&
    known.user === host.user &&
    known.port === host.port &&
    known.identityFile === host.identity_file &&
    known.jump === host.jump
  )
}

function choosePrimary(
  wanted: string | undefined,
  hosts: readonly HostAddress[],
  at: JsonPath,
  loaded: LoadedConfig,
  report: Report,
): string | undefined {
  const names = hosts.map((host) => host.name)
  if (wanted === undefined) return (hosts.find((host) => host.roles.includes('app')) ?? hosts[0])?.name
  if (names.includes(wanted)) return wanted
  const message = names.length === 0 ? `there is no host \`${wanted}\`` : `there is no host \`${wanted}\`, only ${listed(names)}`
  report(problem('SC1023', message, loaded.locate(at), { suggestion: nearest(wanted, names) }))
  return undefined
}
