/** One service on a host in memory, with a Compose that makes containers as the real one does, and a record of gaps. */
import type { Fingerprint, TaskId } from '../../graph/types.ts'
import type { Look, TaskContext } from '../../tasks/kind.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { RegistryCredentials } from '../../tasks/ports.ts'
import { type RolloutParams, rollout } from '../../tasks/rollout.ts'
import { taskContext } from '../tasks/rendering/task-context.ts'
import { FakeHost } from './fake-host.ts'

const render = 'render:node-1'
export const image = 'registry.example/web@sha256:1'

export class RolloutRig {
  readonly host = new FakeHost()
  readonly lines: string[] = []
  readonly controller = new AbortController()
  params: RolloutParams = {
    service: 'web',
    host: 'node-1',
    composeProject: 'shop-prod',
    directory: '/opt/stagecraft/shop/prod',
    render,
    replicas: 1,
    driver: 'native',
    order: 'start-first',
    orderReason: null,
    ownCode: true,
    restart: { name: 'unless-stopped', maximumRetryCount: 0 },
    timeoutSeconds: 0.2,
    minReadySeconds: 0,
    steadySeconds: 0,
    surge: 1,
    stopGraceSeconds: 10,
    minFreeBytes: null,
    probe: null,
    route: null,
  }
  /** The wanted hash: what Compose makes containers from. */
  hash = 'new'
  containerName: string | undefined
  guard: () => Promise<void> = async () => {}
  credentials: RegistryCredentials | undefined
  /** The fewest containers of the service that ran at once since the last `watch`. */
  fewest = Number.POSITIVE_INFINITY
  #made = 0

  constructor(params: Partial<RolloutParams> = {}) {
    this.params = { ...this.params, ...params }
    this.host.engine.images.add(image)
    this.host.answer(/ docker compose .* up --no-start --no-recreate --no-deps --scale web=\d+ web$/, ({ argv }) => {
      this.#compose(Number(argv.at(-2)?.split('=')[1]))
      return {}
    })
    this.host.engine.onChange = () => {
      this.fewest = Math.min(this.fewest, this.running().length)
    }
  }

  /** Containers that run another version, with their restart policy as wanted. */
  old(...names: readonly string[]): void {
    for (const name of names) this.host.engine.add({ name, service: 'web', hash: 'old', restartPolicy: 'unless-stopped' })
    this.watch()
  }

  watch(): void {
    this.fewest = Number.POSITIVE_INFINITY
  }

  running(hash?: string): readonly string[] {
    const found = this.host.engine.containers().filter((one) => one.service === 'web' && one.state === 'running')
    return found.filter((one) => hash === undefined || one.hash === hash).map(({ name }) => name)
  }

  /** `web-1 old exited`, sorted by name. */
  state(): readonly string[] {
    return this.host.engine.containers().map(({ name, hash, state }) => `${name} ${hash} ${state}`)
  }

  observe(): Promise<Look> {
    if (!rollout.observe) throw new Error('a rollout observes')
    return rollout.observe(this.params, this.context(), undefined)
  }

  /** As the executor does: looks, and runs unless there is nothing to do. */
  async run(): Promise<void> {
    await rollout.run(this.params, this.context())
  }

  /** Calls that change containers, without the noise of looking. */
  steps(): readonly string[] {
    return this.host.writes().map((call) => call.replace(/^run .* docker compose .*?\.yml /, 'compose '))
  }

  context(): TaskContext {
    const name = this.containerName === undefined ? {} : { containerName: this.containerName }
    const rendered = { files: {}, values: { bundle: 'b'.repeat(64), services: { web: { hash: this.hash, image, ...name } } } }
    const base = taskContext({ host: this.host, needs: { [render]: rendered }, guard: () => this.guard() })
    const registry = { manifest: async () => undefined, forget: () => {}, credentials: async () => this.credentials }
    return {
      ...base,
      id: 'rollout:web@node-1' as TaskId,
      fingerprint: 'f' as Fingerprint,
      signal: this.controller.signal,
      ports: Object.create(base.ports, { registry: { value: registry } }) as TaskContext['ports'],
      log: (line) => void this.lines.push(line),
    }
  }

  /** Up to `count` containers of the service, whatever state the others are in; names are numbers nobody has had. */
  #compose(count: number): void {
    const there = this.host.engine.containers().filter(({ service }) => service === 'web').length
    for (let missing = count - there; missing > 0; missing--) {
      this.#made += 1
      const name = `made-${this.#made}`
      this.host.engine.add({ name, service: 'web', hash: this.hash, state: 'created', restartPolicy: this.params.restart.name })
    }
  }
}

export function lockLost(): TaskFailure {
  return new TaskFailure({ reason: 'lock-lost', subject: 'node-1', message: 'lost the lock' })
}
