import { TaskFailure } from '../../tasks/kind.ts'
import type {
  Container,
  ContainerDetail,
  Engine,
  EngineEvent,
  Exit,
  OutputLine,
  OutputRequest,
  RegistryCredentials,
  RestartPolicy,
} from '../../tasks/ports.ts'

/**
 * What a container does once it is started:
 * - `healthy`, `unhealthy`: has a healthcheck that says so
 * - `runs`: stays up, without a healthcheck
 * - `dies`: exits with code 1
 * - `starting`: has a healthcheck that is silent until the test calls `become`
 */
export type Behaviour = 'healthy' | 'unhealthy' | 'runs' | 'dies' | 'starting'

export interface FakeContainer {
  readonly name: string
  /** Default: the name without its last `-<number>`. */
  readonly service?: string
  readonly hash?: string
  readonly image?: string
  readonly state?: Container['state']
  readonly health?: Container['health']
  readonly ports?: Container['ports']
  readonly address?: string
  readonly routePort?: number
  /** Mount points of volumes nobody named. */
  readonly anonymousVolumes?: readonly string[]
  /** Default `no`. */
  readonly restartPolicy?: RestartPolicy['name']
}

interface Held {
  anonymousVolumes: readonly string[]
  container: Container
  exitCode: number
  restartCount: number
  restartPolicy: string
  error: string
  lines: string[]
  readonly output: OutputLine[]
  readonly readers: Set<() => void>
  startedAt?: string
}

function fresh(): Pick<Held, 'output' | 'readers'> {
  return { output: [], readers: new Set() }
}

/** The Docker Engine of a {@link FakeHost}. Containers are found by id or name; ids are `id-<name>`. */
export class FakeEngine implements Engine {
  readonly images = new Set<string>()
  /** References that the registry does not have. */
  readonly unavailable = new Set<string>()
  /** What each pull was given to log in with. */
  readonly credentials: (RegistryCredentials | undefined)[] = []
  /** Called after any container changed. */
  onChange: () => void = () => {}
  /** What a program in a container answers; default nothing, with code 0. */
  onExec: (argv: readonly string[]) => Partial<Exit> = () => ({})
  readonly #record: (call: string) => void
  readonly #hostName: string
  readonly #held = new Map<string, Held>()
  readonly #behaviours = new Map<string, Behaviour>()
  readonly #listeners = new Set<(event: EngineEvent) => void>()

  constructor(hostName: string, record: (call: string) => void) {
    this.#hostName = hostName
    this.#record = record
  }

  // --- for tests: none of these is recorded ---

  /** Adds a container; by default one that runs, with no healthcheck. */
  add(given: FakeContainer): Container {
    const container: Container = {
      id: `id-${given.name}`,
      name: given.name,
      service: given.service ?? given.name.replace(/-\d+$/, ''),
      hash: given.hash ?? '',
      image: given.image ?? 'image',
      state: given.state ?? 'running',
      health: given.health ?? 'none',
      ports: given.ports ?? [],
      ...(given.address !== undefined && { address: given.address }),
      ...(given.routePort !== undefined && { routePort: given.routePort }),
    }
    const { anonymousVolumes = [], restartPolicy = 'no' } = given
    this.#held.set(container.id, {
      container,
      exitCode: 0,
      restartCount: 0,
      restartPolicy,
      error: '',
      lines: [],
      anonymousVolumes,
      ...fresh(),
    })
    this.onChange()
    return container
  }
  /** Says what containers of a service (or one container, by name) do when started; default `runs`. */
  behave(serviceOrName: string, behaviour: Behaviour): void {
    this.#behaviours.set(serviceOrName, behaviour)
  }
  /** Makes a container change by itself, with the event the engine would send. */
  become(nameOrId: string, state: 'healthy' | 'unhealthy' | 'dead' | 'out-of-memory'): void {
    const held = this.#find(nameOrId)
    if (state === 'out-of-memory') {
      this.#emit({ action: 'oom', container: held.container.id })
    }
    if (state === 'dead' || state === 'out-of-memory') {
      held.exitCode = 1
      this.#change(held, { state: 'exited' })
      this.#emit({ action: 'die', container: held.container.id, exitCode: 1 })
      return
    }
    this.#change(held, { health: state })
    this.#emit({ action: `health_status: ${state}`, container: held.container.id })
  }
  print(nameOrId: string, ...lines: readonly string[]): void {
    this.#find(nameOrId).lines.push(...lines)
  }
  /** Output with the Engine's times: `at` is RFC 3339 with nine digits of a second. Those who follow read it at once. */
  say(nameOrId: string, at: string, text: string, stream: OutputLine['stream'] = 'stdout'): void {
    const { output, readers } = this.#find(nameOrId)
    output.push({ at, stream, text })
    for (const wake of [...readers]) wake()
  }
  /** What `inspect` says of its times and restarts. */
  past(nameOrId: string, facts: { readonly startedAt?: string; readonly restartCount?: number; readonly exitCode?: number }): void {
    Object.assign(this.#find(nameOrId), facts)
  }
  /** The stream of events breaks off, as with a lost connection; what happens in `unseen` is told to nobody. */
  disconnect(unseen: () => void = () => {}): void {
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    unseen()
    for (const listener of listeners) listener({ action: 'disconnected', container: '' })
  }
  /** Sorted by name. */
  containers(): readonly Container[] {
    return [...this.#held.values()].map(({ container }) => container).sort((a, b) => (a.name < b.name ? -1 : 1))
  }
  /** Names of running containers, sorted. */
  running(): readonly string[] {
    return this.containers().flatMap(({ name, state }) => (state === 'running' ? [name] : []))
  }
  restartPolicyOf(nameOrId: string): string {
    return this.#find(nameOrId).restartPolicy
  }
  /** Open event subscriptions: a finished task has left none. */
  get subscriptions(): number {
    return this.#listeners.size
  }

  // --- Engine ---

  async start(container: string): Promise<void> {
    this.#record(`start ${container}`)
    const held = this.#find(container)
    const { name, service, id } = held.container
    if (held.container.state === 'running') return
    const behaviour = this.#behaviours.get(name) ?? this.#behaviours.get(service) ?? 'runs'
    this.#change(held, { state: 'running', health: behaviour === 'runs' || behaviour === 'dies' ? 'none' : 'starting' })
    this.#emit({ action: 'start', container: id })
    if (behaviour === 'dies') this.become(id, 'dead')
    if (behaviour === 'healthy' || behaviour === 'unhealthy') this.become(id, behaviour)
  }
  async stop(container: string, graceSeconds: number): Promise<void> {
    this.#record(`stop ${container} ${graceSeconds}`)
    const held = this.#find(container)
    if (held.container.state !== 'running') return
    this.#change(held, { state: 'exited', health: 'none' })
    this.#emit({ action: 'die', container: held.container.id, exitCode: 0 })
  }
  async remove(container: string): Promise<void> {
    this.#record(`remove ${container}`)
    for (const [id, held] of [...this.#held]) if (id === container || held.container.name === container) this.#held.delete(id)
    this.onChange()
  }
  async rename(container: string, name: string): Promise<void> {
    this.#record(`rename ${container} ${name}`)
    const held = this.#find(container)
    if (this.containers().some((other) => other.name === name && other.id !== held.container.id)) throw this.#failure(`${name} is taken`)
    held.container = { ...held.container, name }
  }
  async setRestartPolicy(container: string, policy: RestartPolicy): Promise<void> {
    this.#record(`setRestartPolicy ${container} ${policy.name}`)
    this.#find(container).restartPolicy = policy.name
  }
  async inspect(container: string): Promise<ContainerDetail> {
    this.#record(`inspect ${container}`)
    const { container: found, exitCode, restartCount, restartPolicy, error, anonymousVolumes, startedAt } = this.#find(container)
    const { state, health } = found
    const detail = { state, health, exitCode, oomKilled: false, restartCount, restartPolicy, error, healthLog: [], anonymousVolumes }
    return { ...detail, addresses: [], ...(startedAt === undefined ? {} : { startedAt }) }
  }
  async logs(container: string, lines: number): Promise<readonly string[]> {
    this.#record(`logs ${container} ${lines}`)
    return this.#find(container).lines.slice(-lines)
  }
  async output(container: string, request: OutputRequest, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>> {
    this.#record(`output ${container}${request.follow ? ' follow' : ''} tail=${request.tail ?? 'all'} since=${request.since ?? 'ever'}`)
    return readOutput(this.#find(container), request, signal)
  }
  async events(onEvent: (event: EngineEvent) => void): Promise<{ close(): void }> {
    this.#record('events')
    const listener = (event: EngineEvent) => onEvent(event)
    this.#listeners.add(listener)
    return { close: () => this.#listeners.delete(listener) }
  }
  async hasImage(reference: string): Promise<boolean> {
    this.#record(`hasImage ${reference}`)
    return this.images.has(reference)
  }
  async exec(container: string, argv: readonly [string, ...string[]]): Promise<Exit> {
    this.#record(`exec ${container} ${argv.join(' ')}`)
    return { code: 0, stdout: '', stderr: '', ...this.onExec(argv) }
  }
  async joinNetwork(network: string, container: string): Promise<void> {
    this.#record(`joinNetwork ${network} ${container}`)
  }
  async pull(reference: string, credentials: RegistryCredentials | undefined, onLine?: (line: string) => void): Promise<void> {
    this.#record(`pull ${reference}`)
    this.credentials.push(credentials)
    if (this.unavailable.has(reference)) throw this.#failure(`pull ${reference}: not found`)
    onLine?.(`pulled ${reference}`)
    this.images.add(reference)
  }

  #find(nameOrId: string): Held {
    const found = [...this.#held.values()].find(({ container }) => container.id === nameOrId || container.name === nameOrId)
    if (found === undefined) throw this.#failure(`no such container: ${nameOrId}`)
    return found
  }
  #change(held: Held, change: Partial<Container>): void {
    held.container = { ...held.container, ...change }
    for (const wake of [...held.readers]) wake()
    this.onChange()
  }
  #emit(event: EngineEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }
  #failure(message: string): TaskFailure {
    return new TaskFailure({ reason: 'refused', subject: this.#hostName, message: `${this.#hostName}: ${message}` })
  }
}

async function* readOutput(held: Held, request: OutputRequest, signal: AbortSignal): AsyncGenerator<readonly OutputLine[]> {
  const since = Number(request.since ?? 0)
  const wanted = (line: OutputLine) => Date.parse(line.at) / 1000 >= Math.floor(since * 1000) / 1000
  const first = held.output.filter(wanted).slice(request.tail === undefined ? 0 : -request.tail || held.output.length)
  let read = held.output.length
  if (first.length > 0) yield first
  while (request.follow && !signal.aborted && held.container.state === 'running') {
    if (read === held.output.length) {
      await new Promise<void>((resolve) => {
        held.readers.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      held.readers.clear()
    }
    const more = held.output.slice(read)
    read = held.output.length
    if (more.length > 0) yield more
  }
}
