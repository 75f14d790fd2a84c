/** Services of the Compose file, each with its hosts, replicas, image and rollout for one environment. */

import { nearest } from '../../graph/nearest.ts'
import type { JsonObject } from '../../graph/types.ts'
import type { HealthProbe, HostReach, Service } from '../contracts.ts'
import type { ComposeService } from './compose-file.ts'
import { resolveCrossHost } from './cross-host.ts'
import { problem, warning } from './diagnostic.ts'
import { resolveRoute } from './edge.ts'
import { externalServices } from './external-services.ts'
import { isBuiltHere, resolveBuild } from './image-build.ts'
import { interpolate } from './interpolate.ts'
import { isList, isObject, type JsonPath, own, pathText, valueAt } from './json-path.ts'
import { resolveRollout } from './rollout-policy.ts'
import { foundText } from './schema-problems.ts'
import { resolveDependencies } from './service-dependencies.ts'
import { type Setting, serviceOrigin } from './setting.ts'
import { listed } from './word-list.ts'

/** Sorted by name. Every service of the file is there that is not external: `profiles` only guard what a local `docker compose up` starts. */
export function resolveServices(setting: Setting, secretNames: readonly string[] = []): Placed {
  const external = externalServices(setting)
  checkNames(setting, external)
  const services = setting.compose.services.filter(({ name }) => !external.has(name))
  const hosts = new Map(services.map(({ name }) => [name, placement(name, setting)]))
  const { definition, reach } = resolveCrossHost(hosts, external, secretNames, setting)
  const known = new Set(external.keys())
  return {
    services: services.map((service) => resolveService({ ...service, definition: definition(service) }, hosts, known, setting)),
    reach,
  }
}

export interface Placed {
  readonly services: Service[]
  /** By host, how others are found from there; only hosts that need it. */
  readonly reach: Readonly<Record<string, HostReach>>
}

/** Names of hosts a service runs on, sorted; empty in a local environment. */
function placement(name: string, setting: Setting): readonly string[] {
  const { inventory, loaded, environmentName, report } = setting
  const role = own(loaded.config.services, name)?.role
  const only = inventory.hosts.length === 1
  if (inventory.takesAll || (role === undefined && only)) return inventory.hosts.map((host) => host.name)
  if (role !== undefined) return inventory.hosts.filter((host) => host.roles.includes(role)).map((host) => host.name)
  if (inventory.hosts.length > 0) {
    const message = `service \`${name}\` has no role, and environment \`${environmentName}\` has ${inventory.hosts.length} hosts`
    const roles = new Set(inventory.hosts.flatMap((host) => host.roles))
    const notes = [{ message: `set \`services.${name}.role\`${roles.size > 0 ? ` to one of ${listed(roles)}` : ', and roles of hosts'}` }]
    report(problem('SC1025', message, serviceOrigin(setting, name), { notes }))
  }
  return []
}

/** What the manifest speaks of must be in the Compose file. */
function checkNames({ loaded, compose, environment, environmentName, report }: Setting, external: ReadonlyMap<string, URL>): void {
  const known = compose.services.map(({ name }) => name)
  const check = (names: readonly string[], at: JsonPath) => {
    for (const name of names.filter((candidate) => !known.includes(candidate) && !external.has(candidate))) {
      const notes = [{ message: `it has ${listed(known)}` }]
      const message = `service \`${name}\` is not in \`${compose.file}\``
      report(problem('SC1030', message, loaded.locateKey([...at, name]), { suggestion: nearest(name, known), notes }))
    }
  }
  check(Object.keys(loaded.config.services), ['services'])
  check(Object.keys(environment.services), ['environments', environmentName, 'services'])
}

function resolveService(
  { name, definition }: ComposeService,
  placed: ReadonlyMap<string, readonly string[]>,
  external: ReadonlySet<string>,
  setting: Setting,
): Service {
  const { loaded, environment } = setting
  const ours = own(loaded.config.services, name)
  const hosts = placed.get(name) ?? []
  const build = resolveBuild(name, definition, setting)
  checkNeeds(name, definition, setting)
  checkImage(name, definition, setting)
  const replicas = resolveReplicas(name, definition, setting)
  const health = own(environment.services, name)?.health ?? ours?.health
  if (health === undefined && hosts.length > 0) warnOfWeakGate(name, definition, setting)
  const route = resolveRoute(name, definition, setting)
  const { build: _build, profiles, ...rest } = definition
  if (isList(profiles) && hosts.length > 0) {
    const message = `service \`${name}\` has \`profiles\`, which are for local use: it is deployed all the same`
    setting.report(warning('SC1061', message, setting.compose.locateKey(['services', name, 'profiles'])))
  }
  return {
    name,
    hosts,
    ...(ours?.role !== undefined && { role: ours.role }),
    replicas,
    ...(build && { build }),
    definition: rest,
    dependsOn: resolveDependencies(name, definition, placed, external, setting),
    ...(health && { health: probe(health) }),
    ...(route && { route }),
    rollout: resolveRollout(name, definition, replicas, isBuiltHere(name, definition, setting), setting),
    origin: serviceOrigin(setting, name),
  }
}

/** They come before the build, so there must be one. */
function checkNeeds(name: string, definition: JsonObject, setting: Setting): void {
  const { loaded, report } = setting
  if ((own(loaded.config.services, name)?.needs.length ?? 0) === 0 || isBuiltHere(name, definition, setting)) return
  const message = `service \`${name}\` has \`needs\`, but its image is not built here`
  report(problem('SC1111', message, loaded.locateKey(['services', name, 'needs'])))
}

function checkImage(name: string, definition: JsonObject, setting: Setting): void {
  if (isBuiltHere(name, definition, setting) || definition['image'] !== undefined) return
  const refused = own(setting.loaded.config.services, name)?.build === 'none'
  const message = refused
    ? `service \`${name}\` has no \`image\`, and \`build: none\``
    : `service \`${name}\` has neither \`image\` nor \`build\``
  setting.report(problem('SC1031', message, setting.compose.locateKey(['services', name])))
}

function probe({ path, port, expected_status: expectedStatus }: { path: string; port: number; expected_status: number }): HealthProbe {
  return { path, port, expectedStatus }
}

/** The nearest to the environment wins; Compose has two spellings of its own. */
function resolveReplicas(name: string, definition: JsonObject, { environment, loaded, compose, variables, report }: Setting): number {
  const ours = own(environment.services, name)?.replicas ?? own(loaded.config.services, name)?.replicas
  if (ours !== undefined) return ours
  const path: JsonPath = valueAt(definition, ['deploy', 'replicas']) !== undefined ? ['deploy', 'replicas'] : ['scale']
  const written = valueAt(definition, path)
  if (written === undefined) return 1
  const replicas = Number(typeof written === 'string' ? interpolate(written, variables).text || Number.NaN : written)
  if (Number.isInteger(replicas) && replicas >= 1) return replicas
  const at = ['services', name, ...path]
  report(problem('SC1042', `expected a whole number of at least 1 in ${pathText(at)}, found ${foundText(written)}`, compose.locate(at)))
  return 1
}

function warnOfWeakGate(name: string, definition: JsonObject, setting: Setting): void {
  const check = definition['healthcheck']
  const test = isObject(check) ? check['test'] : undefined
  const off = isObject(check) && (check['disable'] === true || (isList(test) && test[0] === 'NONE'))
  if (check !== undefined && !off) return
  const message = `service \`${name}\` has no healthcheck: it counts as ready when it stays up`
  const notes = [{ message: `add \`healthcheck\` in the Compose file, or \`services.${name}.health\`` }]
  setting.report(warning('SC1060', message, setting.compose.locateKey(['services', name]), { notes }))
}
