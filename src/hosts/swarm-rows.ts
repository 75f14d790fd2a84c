/** Rows of the Engine API's lists of services, tasks and nodes (https://docs.docker.com/reference/api/engine/). Pure. */
import type { JsonObject } from '../../graph/types.ts'
import type { SwarmNode, SwarmService, SwarmTask, SwarmUpdate } from '../../tasks/ports.ts'

interface Versioned {
  readonly ID: string
  readonly Version?: { readonly Index?: number }
}

export interface ServiceRow extends Versioned {
  readonly Spec?: JsonObject & {
    readonly Name?: string
    readonly Labels?: Readonly<Record<string, string>>
    readonly Mode?: { readonly Replicated?: { readonly Replicas?: number } }
  }
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string }
  readonly ServiceStatus?: { readonly RunningTasks?: number }
}

export interface TaskRow {
  readonly ID: string
  readonly CreatedAt?: string
  readonly NodeID?: string
  readonly Slot?: number
  readonly DesiredState?: string
  readonly Status?: {
    readonly Timestamp?: string
    readonly State?: string
    readonly Err?: string
    readonly ContainerStatus?: { readonly ExitCode?: number }
  }
}

export interface NodeRow extends Versioned {
  readonly Spec?: JsonObject & { readonly Labels?: Readonly<Record<string, string>> }
  readonly Description?: { readonly Hostname?: string }
  readonly Status?: { readonly Addr?: string }
  readonly ManagerStatus?: { readonly Addr?: string }
}

const updateStates: readonly SwarmUpdate['state'][] = [
  ...(['updating', 'paused', 'completed', 'rollback_started', 'rollback_paused', 'rollback_completed'] as const),
]

export function serviceOf({ ID, Version, Spec = {}, UpdateStatus, ServiceStatus }: ServiceRow): SwarmService {
  const labels = Spec.Labels ?? {}
  const state = updateStates.find((known) => known === UpdateStatus?.State)
  return {
    id: ID,
    name: Spec.Name ?? ID,
    service: labels['stagecraft.service'] ?? '',
    hash: labels['stagecraft.hash'] ?? '',
    version: Version?.Index ?? 0,
    spec: Spec,
    replicas: Spec.Mode?.Replicated?.Replicas ?? 0,
    running: ServiceStatus?.RunningTasks ?? 0,
    ...(state === undefined ? {} : { update: { state, message: UpdateStatus?.Message ?? '' } }),
  }
}

/** @param nodes host names by id. */
export function taskOf(
  { ID, CreatedAt = '', NodeID = '', Slot = 0, DesiredState = '', Status }: TaskRow,
  nodes: ReadonlyMap<string, string>,
): SwarmTask {
  const node = nodes.get(NodeID)
  const exitCode = Status?.ContainerStatus?.ExitCode
  return {
    id: ID,
    slot: Slot,
    ...(node === undefined ? {} : { node }),
    state: Status?.State ?? 'new',
    desired: DesiredState,
    error: Status?.Err ?? '',
    ...(exitCode === undefined ? {} : { exitCode }),
    createdAt: CreatedAt,
    changedAt: Status?.Timestamp ?? CreatedAt,
  }
}

/** A manager behind a wildcard address is told of by `ManagerStatus`. */
export function nodeOf({ ID, Version, Spec = {}, Description, Status, ManagerStatus }: NodeRow): SwarmNode {
  const address = Status?.Addr ?? ''
  return {
    id: ID,
    hostname: Description?.Hostname ?? ID,
    address: address === '' || address === '0.0.0.0' ? (ManagerStatus?.Addr ?? '').replace(/:\d+$/, '') : address,
    version: Version?.Index ?? 0,
    labels: Spec.Labels ?? {},
    spec: Spec,
  }
}

export function byName<Named extends { readonly name: string }>(one: Named, other: Named): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0
}
