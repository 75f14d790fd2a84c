/** One look at a swarm, through its manager: every copy of every service as a container would be told of. */
import type { Container, Host, SwarmService, SwarmTask } from '../../../tasks/ports.ts'
import { releasedServices, swarmFile } from '../../../tasks/swarm/released.ts'
import type { LookedContainer } from './findings.ts'
import type { HostLook } from './look.ts'

/** @throws TaskFailure when the manager does not answer. */
export async function lookAtSwarm(host: Host): Promise<Pick<HostLook, 'containers' | 'services'>> {
  const [{ swarm }, released] = await Promise.all([host.observe(), host.files.read(swarmFile)])
  const copies = await Promise.all((swarm?.services ?? []).map(async (service) => copiesOf(service, await host.swarm.tasks(service.id))))
  const services = released && releasedServices(Buffer.from(released).toString('utf8'))
  return { containers: copies.flat(), ...(services && { services: services.map((service) => ({ ...service, restart: 'no' })) }) }
}

/** Those the swarm wants to run; what ended before is the swarm's business. */
function copiesOf({ service, hash, spec }: SwarmService, tasks: readonly SwarmTask[]): readonly LookedContainer[] {
  const { TaskTemplate: template } = spec as { readonly TaskTemplate?: { readonly ContainerSpec?: { readonly Image?: string } } }
  return tasks
    .filter(({ desired }) => desired === 'running')
    .sort((a, b) => a.slot - b.slot)
    .map((task) => ({
      id: task.id,
      name: `${service}.${task.slot}${task.node === undefined ? '' : ` on ${task.node}`}`,
      ...{ service, hash, image: template?.ContainerSpec?.Image ?? '', state: stateOf(task), health: 'none', ports: [] },
      detail: {
        ...{ state: stateOf(task), health: 'none', exitCode: task.exitCode ?? 0, oomKilled: false, restartCount: 0, restartPolicy: 'no' },
        ...{ anonymousVolumes: [], error: task.error, healthLog: [], addresses: [] },
        ...(task.state === 'running' && { startedAt: task.changedAt }),
      },
    }))
}

function stateOf({ state }: SwarmTask): Container['state'] {
  if (state === 'running') return 'running'
  return ['failed', 'rejected', 'complete', 'shutdown', 'orphaned'].includes(state) ? 'exited' : 'created'
}
