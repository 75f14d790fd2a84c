/** A Docker Swarm, as one of its managers tells of it (https://docs.docker.com/reference/api/engine/, "Service", "Task", "Node"). */
import type { JsonObject } from '../../graph/types.ts'
import type { OutputLine, OutputRequest } from './engine.ts'
import type { RegistryCredentials } from './images.ts'

/** A service of this project and environment, by the labels we put there. */
export interface SwarmService {
  readonly id: string
  /** As the swarm knows it: `shop-prod_web`. */
  readonly name: string
  /** From labels we put there: `stagecraft.service`, `stagecraft.hash`. */
  readonly service: string
  readonly hash: string
  /** Must be given with a change: the swarm refuses one that was made from an older look. */
  readonly version: number
  /** `ServiceSpec` as the swarm has it. May hold secrets: never shown, never kept. */
  readonly spec: JsonObject
  /** Copies that are wanted, and those that run. */
  readonly replicas: number
  readonly running: number
  /** Of its last change. */
  readonly update?: SwarmUpdate
}

export interface SwarmUpdate {
  readonly state: 'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed'
  readonly message: string
}

/** One copy of a service: a container that a node runs, ran or is to run. */
export interface SwarmTask {
  readonly id: string
  readonly slot: number
  /** Host name of its node; undefined until it has one. */
  readonly node?: string
  /** `pending`, `preparing`, `starting`, `running`, `failed`, `rejected`, … */
  readonly state: string
  /** What the swarm wants of it: `running`, `shutdown`, … */
  readonly desired: string
  /** Why it is in its state, in the swarm's words; empty when all is well. */
  readonly error: string
  readonly exitCode?: number
  /** RFC 3339: when it was made, and when it came into its state. */
  readonly createdAt: string
  readonly changedAt: string
}

export interface SwarmNode {
  readonly id: string
  readonly hostname: string
  readonly address: string
  readonly version: number
  readonly labels: Readonly<Record<string, string>>
  /** `NodeSpec`: what a change is made from. */
  readonly spec: JsonObject
}

/** Configs, secrets and networks of this project and environment. */
export interface SwarmObject {
  readonly id: string
  readonly name: string
}

export type SwarmObjectKind = 'configs' | 'secrets' | 'networks'

export interface SwarmState {
  /** Sorted by name. */
  readonly services: readonly SwarmService[]
}

/** Asked of a manager. Every method throws TaskFailure with the Engine's own words. */
export interface Swarm {
  /** @returns undefined when it is gone. */
  service(id: string): Promise<SwarmService | undefined>
  /** @returns its id. */
  create(spec: JsonObject, credentials: RegistryCredentials | undefined): Promise<string>
  update(service: SwarmService, spec: JsonObject, credentials: RegistryCredentials | undefined): Promise<void>
  /** Back to what it was before its last change. */
  rollBack(service: SwarmService): Promise<void>
  /** Absent is fine. Volumes stay. */
  remove(service: SwarmService): Promise<void>
  /** The newest first. */
  tasks(service: string): Promise<readonly SwarmTask[]>
  /** Output of all copies of a service, wherever they run, as it is read; as `Engine.output` of a container. */
  output(service: string, request: OutputRequest, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>>
  /** Last lines of one copy, wherever it runs. */
  taskLogs(task: string, lines: number): Promise<readonly string[]>
  nodes(): Promise<readonly SwarmNode[]>
  /** Sets a node's labels and nothing else of it. */
  label(node: SwarmNode, labels: Readonly<Record<string, string>>): Promise<void>
  /** Those with our labels, sorted by name. */
  objects(kind: SwarmObjectKind): Promise<readonly SwarmObject[]>
  /** By name, whoever made it. */
  find(kind: SwarmObjectKind, name: string): Promise<SwarmObject | undefined>
  /** Makes it, with our labels; one of that name that is there already is fine. @returns its id. */
  make(kind: SwarmObjectKind, definition: JsonObject): Promise<string>
  /** Absent is fine; false when something still uses it. */
  discard(kind: SwarmObjectKind, id: string): Promise<boolean>
}
