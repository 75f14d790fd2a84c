/** A swarm as operations see it that know hosts and containers: one host, the manager, on which each service is one container. */
import type { Container, Host, SwarmService } from '../../tasks/ports.ts'

/** Reads only: what would change a container is refused before, for no host has any of ours. */
export function servicesAsContainers(host: Host): Host {
  const view = {
    async observe() {
      const state = await host.observe()
      return { ...state, containers: (state.swarm?.services ?? []).map(asContainer) }
    },
    engine: Object.assign(Object.create(host.engine) as Host['engine'], {
      output: host.swarm.output,
      // Copies come and go; the swarm's own stream of a service's output follows them.
      events: async () => ({ close() {} }),
    }),
  }
  return Object.assign(Object.create(host) as Host, view)
}

function asContainer({ id, service, hash, replicas, running, spec }: SwarmService): Container {
  const { TaskTemplate: template } = spec as { readonly TaskTemplate?: { readonly ContainerSpec?: { readonly Image?: string } } }
  const state = running > 0 || replicas === 0 ? 'running' : 'created'
  return { id, name: service, service, hash, image: template?.ContainerSpec?.Image ?? '', state, health: 'none', ports: [] }
}
