/** What the Compose file says of a service that a swarm has no word for. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { portProblem } from '../../tasks/swarm/published.ts'
import type { Service } from '../contracts.ts'
import { problem } from './diagnostic.ts'
import { isList, isObject, type JsonPath, pathText, valueAt } from './json-path.ts'
import type { Setting } from './setting.ts'

/** Keys of a service that have a place in a Swarm service's spec, or that only matter elsewhere. */
const known = new Set([
  ...['image', 'build', 'command', 'entrypoint', 'environment', 'working_dir', 'user', 'hostname', 'labels', 'stop_signal', 'platform'],
  ...['stop_grace_period', 'healthcheck', 'tty', 'stdin_open', 'read_only', 'init', 'cap_add', 'cap_drop', 'sysctls', 'ulimits', 'dns'],
  ...['dns_search', 'dns_opt', 'extra_hosts', 'group_add', 'volumes', 'tmpfs', 'configs', 'secrets', 'networks', 'network_mode', 'ports'],
  ...['logging', 'deploy', 'restart', 'mem_limit', 'mem_reservation', 'cpus', 'pids_limit'],
  ...['depends_on', 'expose', 'pull_policy', 'pull_refresh_after', 'profiles', 'scale', 'develop', 'attach', 'annotations'],
])

/** What to write instead, where there is something. */
const instead: Readonly<Record<string, string>> = {
  container_name: 'the swarm names its copies; others find the service under its own name',
  env_file:
    'name the variables under `environment`; `environments.<name>.env_file` of the manifest is given to services that are built here',
  devices: 'run what needs a device on a host of its own',
  privileged: '`cap_add` gives single rights',
  shm_size: 'mount a `tmpfs` at `/dev/shm`',
}

export function checkSwarmCompose({ compose, report }: Setting, services: readonly Service[]): void {
  for (const { name, definition } of services) {
    const refuse = (path: JsonPath, what: string, note?: string) => {
      const notes = note === undefined ? [] : [{ message: note }]
      const at: JsonPath = ['services', name, ...path]
      report(problem('SC1055', `\`${pathText(at)}\` ${what}`, compose.locateKey(at), { notes }))
    }
    for (const key of Object.keys(definition)) {
      if (!known.has(key) && !key.startsWith('x-')) refuse([key], 'cannot be had on a swarm', instead[key])
    }
    const mode = definition['network_mode']
    if (mode !== undefined && mode !== 'host') refuse(['network_mode'], `is \`${String(mode)}\`: on a swarm only \`host\` can be had`)
    const ports = definition['ports']
    for (const [index, port] of (isList(ports) ? ports : []).entries()) refusePort(port, index, refuse)
    const action = valueAt(definition, ['deploy', 'update_config', 'failure_action'])
    if (action !== undefined && action !== 'rollback') {
      refuse(
        ['deploy', 'update_config', 'failure_action'],
        'is `rollback` always: leave it out',
        'what becomes of other services says `rollout.on_failure`',
      )
    }
  }
  for (const [name, network] of Object.entries(networksOf(compose.topLevel))) {
    const driver = isObject(network) ? network['driver'] : undefined
    if (driver === undefined || driver === 'overlay') continue
    const at = ['networks', name, 'driver']
    report(
      problem('SC1055', `\`${pathText(at)}\` is \`${String(driver)}\`: between nodes only \`overlay\` can be had`, compose.locateKey(at)),
    )
  }
}

function refusePort(port: Json, index: number, refuse: (path: JsonPath, what: string, note?: string) => void): void {
  const why = portProblem(port)
  if (why !== undefined)
    refuse(['ports', index], why, 'a swarm publishes a port on every node, or with `mode: host` on those that run the service')
}

function networksOf(topLevel: JsonObject): JsonObject {
  const { networks } = topLevel
  return isObject(networks ?? null) ? (networks as JsonObject) : {}
}
