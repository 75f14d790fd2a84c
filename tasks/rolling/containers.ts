/** Single steps with a service's containers on one host. */
import { TaskFailure } from '../kind.ts'
import type { Container, Host } from '../ports.ts'
import { drift, type ServiceState, serviceState } from './decide.ts'
import type { Rolling } from './params.ts'

export async function freshLook(host: Host): Promise<readonly Container[]> {
  host.changed()
  return (await host.observe()).containers
}

export async function removeContainer({ host, context }: Rolling, container: Container): Promise<void> {
  await context.guard()
  context.log(`removing ${container.name}`)
  await host.engine.remove(container.id)
}

/** @throws TaskFailure `refused` when one of them keeps data that a new container would not see. */
export async function refuseToLoseData({ host, params }: Rolling, containers: readonly Container[]): Promise<void> {
  const details = await Promise.all(containers.map(({ id }) => host.engine.inspect(id)))
  for (const [index, container] of containers.entries()) {
    const { anonymousVolumes = [] } = details[index] ?? {}
    if (anonymousVolumes.length === 0) continue
    throw new TaskFailure({
      reason: 'refused',
      subject: `${params.service} on ${host.name}`,
      message: `${container.name} keeps data in a volume without a name (${anonymousVolumes.join(', ')}), which a new container would not see`,
      remedy: `declare a named volume for it in the Compose file, or set services.${params.service}.rollout.driver to recreate`,
    })
  }
}

/** A run that was cut off between the gate and the restart policy leaves a healthy container that would not survive a reboot. */
export async function unsettled({ host, params }: Rolling, containers: readonly Container[]): Promise<string | undefined> {
  const policies = await Promise.all(containers.map(async ({ id }) => (await host.engine.inspect(id)).restartPolicy))
  for (const [index, { name }] of containers.entries())
    if (policies[index] !== params.restart.name) return `${name} has restart policy ${policies[index]}, not ${params.restart.name}`
  return undefined
}

/**
 * A container gets its restart policy once it has passed the gate. One without it was left by a run that was cut off, and has to
 * pass the gate again, however healthy it looks.
 */
export async function withoutUngated({ host, params }: Rolling, state: ServiceState): Promise<ServiceState> {
  const details = await Promise.all(state.ready.map(({ id }) => host.engine.inspect(id)))
  const isGated = (index: number) => details[index]?.restartPolicy === params.restart.name
  return {
    ...state,
    ready: state.ready.filter((_, index) => isGated(index)),
    adoptable: [...state.adoptable, ...state.ready.filter((_, index) => !isGated(index))],
  }
}

/** The engine answers a stop a moment before its listing shows it; the next task must not see a container that is gone. */
export async function awaitListing({ host, wanted }: Rolling): Promise<void> {
  for (let look = 0; look < 10; look++) {
    if (drift(wanted, serviceState(wanted, await freshLook(host))) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 50 * (look + 1)))
  }
}
