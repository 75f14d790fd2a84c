import type { TaskId } from '../../graph/types.ts'
import type { TaskContext } from '../kind.ts'
import { serviceDrift } from './decide.ts'
import { filledSpec } from './fill.ts'
import { stackValues } from './params.ts'

interface SwarmHealth {
  readonly manager: string
  readonly stack: string
  readonly services: readonly string[]
}

/** What is not as wanted, a line for each service. */
export async function unhealthyInSwarm({ manager, stack, services }: SwarmHealth, context: TaskContext): Promise<readonly string[]> {
  const values = stackValues.parse(context.needs.get(stack as TaskId)?.values)
  const { swarm } = await context.ports.host(manager).observe()
  return services.flatMap((service) => {
    const entry = values.services[service]
    if (entry === undefined) throw new Error(`${stack} has no service ${service}`)
    const wanted = { service, hash: entry.hash, replicas: entry.replicas, spec: filledSpec(entry, context.ports.secrets) }
    const found = serviceDrift(
      wanted,
      swarm?.services.find((one) => one.service === service),
    )
    return found === undefined ? [] : [`${service}: ${found}`]
  })
}
