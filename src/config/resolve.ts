/** From a checked manifest and Compose file to the {@link Deployment} of one environment. Pure. */

import { relative, sep } from 'node:path'
import { nearest } from '../../graph/nearest.ts'
import type { Checked, Diagnostic } from '../../graph/types.ts'
import type { Deployment } from '../contracts.ts'
import type { ComposeFile } from './compose-file.ts'
import type { LoadedConfig } from './config.ts'
import { resolveDatabases } from './databases.ts'
import { deepFreeze } from './deep-freeze.ts'
import { hasErrors, inOrder, problem, type Report, warning } from './diagnostic.ts'
import { resolveEdge } from './edge.ts'
import { overrideOf } from './external-services.ts'
import { resolveHooks } from './hooks.ts'
import { transferOf } from './image-build.ts'
import { resolveInventory } from './inventory.ts'
import { own } from './json-path.ts'
import { resolveFleet } from './rollout-policy.ts'
import { resolveServices } from './services.ts'
import { managerOnly, resolveSwarm } from './swarm.ts'
import { resolveVariables } from './variables.ts'
import { listed } from './word-list.ts'

/** Looked up after the manifest's own; `~` is the home of who runs this. */
const usualKnownHosts = ['stagecraft.known_hosts', '~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts']

export interface ResolveOptions {
  /** Names of variables in the environment file on this machine; all of them are secret. */
  readonly envFileNames?: readonly string[]
}

/** Everything pipelines need for one environment, or every reason why not. */
export function resolveDeployment(
  loaded: LoadedConfig,
  compose: ComposeFile,
  environmentName: string,
  options: ResolveOptions = {},
): Checked<Deployment> {
  const { config } = loaded
  const environment = own(config.environments, environmentName)
  if (!environment) return { ok: false, diagnostics: [unknownEnvironment(loaded, environmentName)] }
  const found: Diagnostic[] = []
  const report: Report = (diagnostic) => found.push(diagnostic)
  const machines = resolveInventory(loaded, environmentName, report)
  const isSwarm = environment.rollout.target === 'swarm' && machines.hosts.length > 0
  const inventory = isSwarm ? managerOnly(machines) : machines
  const remote = inventory.hosts.length > 0
  const variables = resolveVariables(loaded, environmentName, remote, options.envFileNames ?? [], report)
  const setting = {
    loaded,
    compose,
    environmentName,
    environment,
    inventory,
    variables: variables.plain,
    report,
    ...(isSwarm && { swarm: machines }),
  }
  const fleet = resolveFleet(setting)
  const { services, reach } = resolveServices(setting, variables.secret)
  const edge = resolveEdge(setting, services)
  const placed = new Map(services.map((service) => [service.name, service.hosts]))
  const databases = resolveDatabases(
    loaded,
    environmentName,
    inventory,
    report,
    (service) => placed.get(service) ?? (overrideOf(environment, service)?.mode === 'external' ? [] : undefined),
    services.map((service) => service.name),
  )
  const hooks = resolveHooks(setting, services, databases)
  const swarm = isSwarm ? resolveSwarm({ ...setting, swarm: machines }, services) : undefined
  reportUnusedBlocks(loaded, report)
  const diagnostics = inOrder(found)
  if (hasErrors(diagnostics)) return { ok: false, diagnostics }
  const { name: project, registry, compose_file: file } = config.project
  const deployment: Deployment = {
    project,
    environment: environmentName,
    composeProject: `${project}-${environmentName}`,
    ...(registry !== undefined && { registry }),
    ...(remote && transferOf(setting) === 'ssh' && { transfer: 'ssh' as const }),
    directory: `${environment.path === '/' ? '' : environment.path}/${project}/${environmentName}`,
    edgeDirectory: `${environment.path === '/' ? '' : environment.path}/edge`,
    ...(edge && { edge }),
    hosts: inventory.hosts,
    ...(inventory.primaryHost !== undefined && { primaryHost: inventory.primaryHost }),
    services: swarm?.services ?? services,
    databases,
    compose: {
      file,
      ...(compose.others.length > 0 && { others: compose.others.map((path) => relative(loaded.directory, path).split(sep).join('/')) }),
      topLevel: compose.topLevel,
    },
    variables,
    knownHosts: [...new Set([...environment.known_hosts, ...usualKnownHosts])],
    fleet,
    ...(Object.keys(reach).length > 0 && { reach }),
    ...(hooks.length > 0 && { hooks }),
    ...(swarm && { swarm: swarm.swarm }),
  }
  return { ok: true, value: deepFreeze(deployment), ...(diagnostics.length > 0 && { warnings: diagnostics }) }
}

function unknownEnvironment(loaded: LoadedConfig, name: string): Diagnostic {
  const names = Object.keys(loaded.config.environments)
  const notes = [{ message: `there is ${listed(names)}` }]
  return problem('SC1020', `there is no environment \`${name}\``, loaded.locate(['environments']), {
    suggestion: nearest(name, names),
    notes,
  })
}

/** A block that no service is built by would be read and ignored. */
function reportUnusedBlocks(loaded: LoadedConfig, report: Report): void {
  const { services } = loaded.config
  for (const role of ['backend', 'frontend'] as const) {
    if (!loaded.config[role] || Object.values(services).some((service) => service.build === role)) continue
    const notes = [{ message: `say so with \`services.<name>.build: ${role}\`` }]
    report(warning('SC1062', `\`${role}\` is not used: no service is built by it`, loaded.locateKey([role]), { notes }))
  }
}
