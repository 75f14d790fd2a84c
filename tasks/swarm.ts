/** `swarm`: what services of a swarm stand on: nodes that are known by their roles, and networks between them. */
import type { ActionResult, TaskId } from '../graph/types.ts'
import { defineTask, type Look, type TaskContext, TaskFailure } from './kind.ts'
import type { Host, SwarmNode } from './ports.ts'
import { networkDefinition } from './swarm/network.ts'
import { type StackValues, type SwarmParams, stackValues, swarmParams } from './swarm/params.ts'

export const swarm = defineTask<SwarmParams>({
  name: 'swarm',
  version: 1,
  summary: 'gives nodes of a swarm their roles, and makes the networks of its services',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params: swarmParams,
  title: ({ environment }) => `prepare the swarm of ${environment}`,
  select: (_params, _need, result) => stackValues.parse(result.values).networks,
  async observe(params, context): Promise<Look> {
    const host = context.ports.host(params.manager)
    await refuseContainers(params, host)
    const [nodes, absent] = await Promise.all([nodesToLabel(params, host), absentNetworks(params, host, context)])
    if (nodes.length > 0) {
      return {
        fresh: false,
        because: { reason: 'drift', detail: `roles of ${nodes.map(({ node }) => node.hostname).join(', ')} are not as wanted` },
      }
    }
    if (absent.length > 0) {
      return { fresh: false, because: { reason: 'absent', detail: `no network ${absent.map(({ name }) => name).join(', ')}` } }
    }
    return { fresh: true, result: resultOf(params) }
  },
  async run(params, context) {
    const host = context.ports.host(params.manager)
    await refuseContainers(params, host)
    for (const { node, labels } of await nodesToLabel(params, host)) {
      await context.guard()
      context.log(`setting the roles of node ${node.hostname}`)
      await host.swarm.label(node, labels)
    }
    for (const { name, definition } of await absentNetworks(params, host, context)) {
      if (definition['external'] === true) throw noNetwork(name, params)
      await context.guard()
      context.log(`making network ${name}`)
      await host.swarm.make('networks', networkDefinition(name, definition))
    }
    return resultOf(params)
  },
})

/** Beside containers of Compose, every service would run twice. */
async function refuseContainers({ environment, manager }: SwarmParams, host: Host): Promise<void> {
  const { containers } = await host.observe()
  if (containers.length === 0) return
  throw new TaskFailure({
    reason: 'refused',
    subject: manager,
    message: `${environment} runs on ${manager} as containers of Compose (${containers.map(({ name }) => name).join(', ')}): as a swarm it would run twice`,
    remedy: `give the swarm an environment of its own, or take these down first: docker compose --project-directory ${host.directory}/current down`,
  })
}

interface Labelled {
  readonly node: SwarmNode
  readonly labels: Readonly<Record<string, string>>
}

/** Only labels that begin with our prefix are ours. */
async function nodesToLabel({ nodes: wanted, labelPrefix, manager }: SwarmParams, host: Host): Promise<readonly Labelled[]> {
  if (wanted.length === 0) return []
  const nodes = await host.swarm.nodes()
  const roles = new Map(wanted.map(({ name, addresses, roles }) => [nodeOf(name, addresses, nodes, manager).id, roles]))
  return nodes.flatMap((node) => {
    const others = Object.entries(node.labels).filter(([label]) => !label.startsWith(labelPrefix))
    const ours = (roles.get(node.id) ?? []).map((role) => [`${labelPrefix}${role}`, 'true'])
    const labels = Object.fromEntries([...others, ...ours]) as Record<string, string>
    return sameLabels(labels, node.labels) ? [] : [{ node, labels }]
  })
}

/** By address, else by host name. */
function nodeOf(name: string, addresses: readonly string[], nodes: readonly SwarmNode[], manager: string): SwarmNode {
  const found =
    nodes.find(({ address }) => addresses.includes(address)) ?? nodes.find(({ hostname }) => [name, ...addresses].includes(hostname))
  if (found) return found
  throw new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `${name} (${addresses.join(', ')}) is no node of the swarm that ${manager} manages: it has ${nodes.map(({ hostname, address }) => `${hostname} (${address})`).join(', ')}`,
    remedy: `join it, with what \`docker swarm join-token worker\` says on ${manager}; or take it out of the environment's hosts`,
  })
}

function sameLabels(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => one[name] === other[name])
}

async function absentNetworks(params: SwarmParams, host: Host, context: TaskContext): Promise<StackValues['networks']> {
  const stack = context.needs.get(params.stack as TaskId)
  if (!stack) throw new Error(`${context.id} has no result of ${params.stack}`)
  const { networks } = stackValues.parse(stack.values)
  const found = await Promise.all(networks.map(({ name }) => host.swarm.find('networks', name)))
  return networks.filter((_, index) => found[index] === undefined)
}

function noNetwork(name: string, { manager }: SwarmParams): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: name,
    message: `the swarm of ${manager} has no network ${name}, which the Compose file says is there (external)`,
    remedy: `make it, on a manager: docker network create --driver overlay ${name}`,
  })
}

function resultOf({ environment }: SwarmParams): ActionResult {
  return { files: {}, values: { environment } }
}
