/** In which order containers are restarted, and what that would interrupt. Pure. */
import type { Container } from '../../../tasks/ports.ts'
import { type Replica, runningReplicas } from '../exec/replica.ts'

export interface Interruption {
  readonly service: string
  /** The one that serves alone. */
  readonly replica: Replica
}

export interface RestartPlan {
  /** One after another. */
  readonly steps: readonly Replica[]
  /** Services that nobody serves while their container restarts. */
  readonly interruptions: readonly Interruption[]
  /** Asked for, and not running on a selected host. */
  readonly absent: readonly string[]
}

export interface HostLook {
  readonly host: string
  readonly containers: readonly Container[]
  /** Its containers are to be restarted; those of other hosts only count as serving. */
  readonly isSelected: boolean
}

/**
 * Services in the order given, the containers of each by host and number. Those that do not serve come first: restarting one of them takes
 * nothing away, and may give a service its second container.
 */
export function restartPlan(looks: readonly HostLook[], services: readonly string[]): RestartPlan {
  const selected = looks.filter(({ isSelected }) => isSelected)
  const plans = services.map((service) => {
    const mine = runningReplicas(selected, service)
    const steps = [...mine.filter(({ container }) => !serves(container)), ...mine.filter(({ container }) => serves(container))]
    const serving = runningReplicas(looks, service).filter(({ container }) => serves(container))
    // One that does not serve may not serve after its restart either: nobody counts on it.
    const alone = serving.length === 1 ? steps.find(({ container }) => serves(container)) : undefined
    return { service, steps, alone }
  })
  return {
    steps: plans.flatMap(({ steps }) => steps),
    interruptions: plans.flatMap(({ service, alone }) => (alone === undefined ? [] : [{ service, replica: alone }])),
    absent: plans.flatMap(({ service, steps }) => (steps.length === 0 ? [service] : [])),
  }
}

/** Running and healthy, or without a healthcheck. */
export function serves({ state, health }: Pick<Container, 'state' | 'health'>): boolean {
  return state === 'running' && (health === 'healthy' || health === 'none')
}
