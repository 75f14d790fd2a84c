/** A swarm in memory: services with a version, copies that come up or do not, and an engine that goes back by itself. */
import type { JsonObject } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type {
  OutputLine,
  RegistryCredentials,
  Swarm,
  SwarmNode,
  SwarmObject,
  SwarmObjectKind,
  SwarmService,
  SwarmTask,
} from '../../tasks/ports.ts'

/**
 * What copies of a service do once its spec was sent:
 * - `runs`: come up at once
 * - `dies`: end with code 1; an update is taken back by the engine
 * - `hangs`: never get ready, and nothing says why
 */
export type SwarmBehaviour = 'runs' | 'dies' | 'hangs'

interface Held {
  service: SwarmService
  previous: SwarmService | undefined
  tasks: SwarmTask[]
}

export class FakeSwarm implements Swarm {
  /** Specs as they were sent, newest last. */
  readonly sent: JsonObject[] = []
  readonly credentials: (RegistryCredentials | undefined)[] = []
  readonly made: { readonly kind: SwarmObjectKind; readonly definition: JsonObject }[] = []
  readonly nodesThere: SwarmNode[] = []
  /** What a copy printed. */
  lines: readonly string[] = []
  behaviour: SwarmBehaviour = 'runs'
  /** Names of objects that are in use. */
  readonly used = new Set<string>()
  readonly #record: (call: string) => void
  readonly #held = new Map<string, Held>()
  readonly #objects: Record<SwarmObjectKind, (SwarmObject & { readonly isOurs: boolean })[]> = { configs: [], secrets: [], networks: [] }
  #count = 0

  constructor(record: (call: string) => void) {
    this.#record = record
  }

  // --- for tests: not recorded ---

  services(): readonly SwarmService[] {
    return [...this.#held.values()].map(({ service }) => service).sort((a, b) => (a.name < b.name ? -1 : 1))
  }
  /** Changes what the swarm says of a service. */
  alter(id: string, change: Partial<SwarmService>): void {
    const held = this.#found(id)
    held.service = { ...held.service, ...change, version: held.service.version + 1 }
  }
  put(kind: SwarmObjectKind, name: string, isOurs = true): void {
    this.#objects[kind].push({ id: `${kind}-${name}`, name, isOurs })
  }
  names(kind: SwarmObjectKind): readonly string[] {
    return this.#objects[kind].map(({ name }) => name).sort()
  }

  // --- Swarm ---

  async service(id: string): Promise<SwarmService | undefined> {
    return this.#held.get(id)?.service
  }
  async create(spec: JsonObject, credentials: RegistryCredentials | undefined): Promise<string> {
    const name = String(spec['Name'])
    this.#record(`create ${name}`)
    this.#remember(spec, credentials)
    const id = `id-${name}`
    this.#held.set(id, { service: serviceFrom(id, spec, 1), previous: undefined, tasks: [] })
    this.#start(this.#found(id))
    return id
  }
  async update(service: SwarmService, spec: JsonObject, credentials: RegistryCredentials | undefined): Promise<void> {
    this.#record(`update ${service.name}`)
    const held = this.#found(service.id)
    if (held.service.version !== service.version)
      throw new TaskFailure({ reason: 'refused', subject: service.name, message: 'update out of sequence' })
    this.#remember(spec, credentials)
    held.previous = held.service
    held.service = serviceFrom(service.id, spec, service.version + 1)
    this.#start(held)
    if (this.behaviour === 'runs') this.alter(service.id, { update: { state: 'completed', message: 'update completed' } })
    if (this.behaviour === 'hangs') this.alter(service.id, { update: { state: 'updating', message: 'update in progress' } })
    if (this.behaviour === 'dies') this.#back(held, 'update rolled back due to failure')
  }
  async rollBack(service: SwarmService): Promise<void> {
    this.#record(`rollBack ${service.name}`)
    this.#back(this.#found(service.id), 'rollback completed')
  }
  async remove(service: SwarmService): Promise<void> {
    this.#record(`remove service ${service.name}`)
    this.#held.delete(service.id)
  }
  async tasks(service: string): Promise<readonly SwarmTask[]> {
    return [...this.#found(service).tasks].reverse()
  }
  async output(service: string): Promise<AsyncIterable<readonly OutputLine[]>> {
    this.#record(`output ${service}`)
    const lines = this.lines.map((text, index) => ({ at: `2026-01-02T03:04:0${index}.000000000Z`, stream: 'stdout' as const, text }))
    return (async function* () {
      yield lines
    })()
  }
  async taskLogs(task: string): Promise<readonly string[]> {
    this.#record(`logs ${task}`)
    return this.lines
  }
  async nodes(): Promise<readonly SwarmNode[]> {
    return this.nodesThere
  }
  async label(node: SwarmNode, labels: Readonly<Record<string, string>>): Promise<void> {
    this.#record(`label ${node.hostname} ${Object.keys(labels).sort().join(' ')}`)
    const index = this.nodesThere.findIndex(({ id }) => id === node.id)
    this.nodesThere[index] = { ...node, labels }
  }
  async objects(kind: SwarmObjectKind): Promise<readonly SwarmObject[]> {
    return this.#objects[kind].filter(({ isOurs }) => isOurs)
  }
  async find(kind: SwarmObjectKind, name: string): Promise<SwarmObject | undefined> {
    return this.#objects[kind].find((object) => object.name === name)
  }
  async make(kind: SwarmObjectKind, definition: JsonObject): Promise<string> {
    const name = String(definition['Name'])
    this.#record(`make ${kind} ${name}`)
    this.made.push({ kind, definition })
    this.put(kind, name)
    return `${kind}-${name}`
  }
  async discard(kind: SwarmObjectKind, id: string): Promise<boolean> {
    this.#record(`discard ${id}`)
    if (this.used.has(id)) return false
    this.#objects[kind] = this.#objects[kind].filter((object) => object.id !== id)
    return true
  }

  #remember(spec: JsonObject, credentials: RegistryCredentials | undefined): void {
    this.sent.push(spec)
    this.credentials.push(credentials)
  }

  #start(held: Held): void {
    const { replicas } = held.service
    held.tasks = held.tasks.map((task) => ({ ...task, desired: 'shutdown', state: task.state === 'running' ? 'shutdown' : task.state }))
    for (let slot = 1; slot <= replicas; slot++) {
      const state = { runs: 'running', dies: 'failed', hangs: 'starting' }[this.behaviour]
      held.tasks.push({
        id: `task-${++this.#count}`,
        slot,
        node: `host-${slot}`,
        state,
        desired: state === 'failed' ? 'shutdown' : 'running',
        error: state === 'failed' ? 'task: non-zero exit (1)' : '',
        ...(state === 'failed' && { exitCode: 1 }),
        createdAt: String(this.#count).padStart(8, '0'),
        changedAt: '',
      })
    }
    held.service = { ...held.service, running: this.behaviour === 'runs' ? replicas : 0 }
  }

  #back(held: Held, message: string): void {
    if (held.previous === undefined) throw new TaskFailure({ reason: 'refused', subject: held.service.name, message: 'no previous spec' })
    const version = held.service.version + 1
    held.service = { ...held.previous, version, running: held.previous.replicas, update: { state: 'rollback_completed', message } }
    held.previous = undefined
  }

  #found(id: string): Held {
    const held = this.#held.get(id)
    if (held === undefined) throw new Error(`the test has no service ${id}`)
    return held
  }
}

function serviceFrom(id: string, spec: JsonObject, version: number): SwarmService {
  const labels = (spec['Labels'] ?? {}) as Readonly<Record<string, string>>
  const mode = spec['Mode'] as { readonly Replicated?: { readonly Replicas?: number } }
  const replicas = mode.Replicated?.Replicas ?? 0
  return {
    ...{ id, name: String(spec['Name']), service: labels['stagecraft.service'] ?? '', hash: labels['stagecraft.hash'] ?? '' },
    ...{ version, spec, replicas, running: replicas },
  }
}
