/** What a service's containers on one host are, against what they should be. Pure: the whole rollout follows from this. */
import type { Container } from '../ports.ts'

export interface Wanted {
  readonly service: string
  /** Content hash of the rendered definition: the container's identity. */
  readonly hash: string
  readonly replicas: number
}

export interface ServiceState {
  /** Of the wanted hash, running, and healthy or without a healthcheck. */
  readonly ready: readonly Container[]
  /** Of the wanted hash and worth keeping: made but not started, or not healthy yet. Left by a run that was cut off. */
  readonly adoptable: readonly Container[]
  /** Of the wanted hash, but exited, unhealthy, paused or restarting: replaced. */
  readonly broken: readonly Container[]
  /** Of another hash and still running: stopped once the wanted ones are ready. */
  readonly outdated: readonly Container[]
  /** Of another hash, not running: kept for a rollback until the release is finalized. */
  readonly retired: readonly Container[]
}

export function serviceState(wanted: Wanted, containers: readonly Container[]): ServiceState {
  const own = containers.filter((container) => container.service === wanted.service)
  const same = own.filter((container) => container.hash === wanted.hash)
  const other = own.filter((container) => container.hash !== wanted.hash)
  const ready = same.filter(isReady)
  const adoptable = same.filter((container) => !isReady(container) && isAdoptable(container))
  return {
    ready,
    adoptable,
    broken: same.filter((container) => !isReady(container) && !isAdoptable(container)),
    outdated: other.filter(isLive),
    retired: other.filter((container) => !isLive(container)),
  }
}

/** Undefined when everything is as wanted; else a sentence fragment that says what is not. */
export function drift(wanted: Wanted, state: ServiceState): string | undefined {
  const { ready, adoptable, broken, outdated } = state
  if (ready.length + adoptable.length + broken.length + outdated.length + state.retired.length === 0) {
    return wanted.replicas === 0 ? undefined : 'not on the host yet'
  }
  const parts: string[] = []
  if (outdated.length > 0) parts.push(`${names(outdated)} ${outdated.length === 1 ? 'runs' : 'run'} another definition`)
  if (broken.length > 0) parts.push(broken.map((container) => `${container.name} is ${condition(container)}`).join(', '))
  if (adoptable.length > 0) parts.push(`${names(adoptable)} ${adoptable.length === 1 ? 'is' : 'are'} not ready yet`)
  if (ready.length !== wanted.replicas && parts.length === 0) parts.push(`${ready.length} of ${wanted.replicas} replicas`)
  return parts.length > 0 ? parts.join('; ') : undefined
}

/** What to do with the containers that are there, and how many to make. */
export interface RolloutPlan {
  /** Broken, and not needed while the others come up. */
  readonly remove: readonly Container[]
  readonly adopt: readonly Container[]
  readonly create: number
  /** Ready ones beyond the wanted number, the last made first. */
  readonly surplus: readonly Container[]
  /** Stopped once the wanted ones are ready: of another hash, or broken but all there is. */
  readonly replace: readonly Container[]
}

export function rolloutPlan(wanted: Wanted, state: ServiceState): RolloutPlan {
  const missing = Math.max(0, wanted.replicas - state.ready.length)
  const adopt = state.adoptable.slice(0, missing)
  // An unhealthy container may still answer some: when nothing better runs, it goes last, and comes back if the new one is no better.
  const limping = state.ready.length + state.outdated.length > 0 ? [] : state.broken.filter(isLive)
  return {
    remove: [...state.broken.filter((container) => !limping.includes(container)), ...state.adoptable.slice(missing)],
    adopt,
    create: missing - adopt.length,
    surplus: state.ready.slice(wanted.replicas),
    replace: [...state.outdated, ...limping],
  }
}

function isReady(container: Container): boolean {
  return container.state === 'running' && (container.health === 'healthy' || container.health === 'none')
}

function isAdoptable(container: Container): boolean {
  return container.state === 'created' || (container.state === 'running' && container.health === 'starting')
}

/** It runs, in whatever way. */
export function isLive(container: Container): boolean {
  return container.state === 'running' || container.state === 'restarting' || container.state === 'paused'
}

function condition(container: Container): string {
  return container.state === 'running' ? container.health : container.state
}

function names(containers: readonly Container[]): string {
  return containers.map((container) => container.name).join(', ')
}
