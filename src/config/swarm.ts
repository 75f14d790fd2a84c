/** An environment whose services are handed to a Docker Swarm: who is asked, where services may run, and all that a swarm cannot do. */
import type { JsonObject } from '../../graph/types.ts'
import type { DeployedSwarm, Service } from '../contracts.ts'
import { problem, warning } from './diagnostic.ts'
import type { Inventory } from './inventory.ts'
import { isList, isObject, own, valueAt } from './json-path.ts'
import { type Setting, serviceOrigin } from './setting.ts'
import { writableMounts } from './stored-volumes.ts'
import { checkSwarmCompose } from './swarm-compose.ts'
import { checkSwarmManifest } from './swarm-manifest.ts'

type SwarmSetting = Setting & { readonly swarm: Inventory }

/** To everything but placement, a swarm is the one manager that is asked. */
export function managerOnly({ hosts, primaryHost }: Inventory): Inventory {
  const manager = hosts.filter(({ name }) => name === primaryHost)
  return { hosts: manager, takesAll: true, ...(primaryHost !== undefined && { primaryHost }) }
}

export function resolveSwarm(
  setting: SwarmSetting,
  services: readonly Service[],
): { readonly swarm: DeployedSwarm; readonly services: Service[] } {
  const { loaded, environmentName, swarm: machines } = setting
  checkSwarmManifest(setting, services)
  checkSwarmCompose(setting, services)
  const labelPrefix = `stagecraft.${loaded.config.project.name}.${environmentName}.`
  const manager = machines.primaryHost ?? ''
  return {
    swarm: {
      manager,
      labelPrefix,
      nodes: machines.takesAll
        ? []
        : machines.hosts.map(({ name, address, privateAddress, roles }) => {
            return { name, addresses: [...new Set([address, ...(privateAddress === undefined ? [] : [privateAddress])])], roles }
          }),
    },
    services: services.map((service) => {
      const { role } = service
      const constraints = role === undefined || machines.takesAll ? [] : [`node.labels.${labelPrefix}${role}==true`]
      checkData(service, setting)
      warnOfSecrets(service, setting)
      return { ...service, rollout: { ...service.rollout, constraints } }
    }),
  }
}

/** A local volume is on one node: a copy that comes up on another finds it empty, and nobody is told. */
function checkData(service: Service, setting: SwarmSetting): void {
  const { definition, name, role } = service
  const sources = writableMounts(definition).filter((source) => isLocal(source, setting.compose.topLevel))
  const homes = setting.swarm.hosts.filter(({ roles }) => role !== undefined && roles.includes(role))
  const isPinned = homes.length === 1 || isList(valueAt(definition, ['deploy', 'placement', 'constraints']) ?? null)
  if (sources[0] === undefined || isPinned) return
  const message = `service \`${name}\` keeps data in \`${sources[0]}\` of a node, and nothing says of which: the swarm may move it away from its data`
  const notes = [
    { message: 'give it a `role` that one host has, or `deploy.placement.constraints`, or a volume whose `driver` reaches every node' },
  ]
  setting.report(problem('SC1056', message, serviceOrigin(setting, name), { notes }))
}

/** Paths of a node, and volumes without a driver of their own. */
function isLocal(source: string, topLevel: JsonObject): boolean {
  if (source.startsWith('.')) return false
  const volume = valueAt(topLevel, ['volumes', source])
  const driver = isObject(volume ?? null) ? valueAt(volume ?? null, ['driver']) : undefined
  return driver === undefined || driver === 'local'
}

/** What Compose fills in on a host has no other place in a swarm than the service's spec. */
function warnOfSecrets({ name, build }: Service, setting: SwarmSetting): void {
  const { environment, loaded } = setting
  if (build === undefined || environment.env_file === undefined) return
  const message = `service \`${name}\` is given secrets as variables: whoever may ask a manager of the swarm can read them in its spec`
  const notes = [
    { message: 'what is named under `secrets` in the Compose file is a secret of the swarm, which only its containers can read' },
  ]
  const at = own(loaded.config.environments, setting.environmentName) ? ['environments', setting.environmentName, 'env_file'] : []
  setting.report(warning('SC1058', message, loaded.locateKey(at), { notes }))
}
