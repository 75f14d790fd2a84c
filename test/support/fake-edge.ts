import { parse } from 'yaml'
import type { EdgeState, ProxyContainer } from '../../tasks/ports/edge.ts'
import type { Exit } from '../../tasks/ports.ts'
import { FakeHost } from './fake-host.ts'

interface ComposeFile {
  readonly services: { readonly proxy: { readonly image: string; readonly labels: Readonly<Record<string, string>> } }
}

/**
 * The edge of a {@link FakeHost}: Compose makes the proxy from the file that is there, with its labels, and starts it; the
 * lock is recorded as `lock` and `unlock`, and cannot be taken twice.
 */
export class FakeEdge {
  readonly host = new FakeHost()
  proxy: ProxyContainer | undefined
  /** Files of services that a look finds. */
  routes: EdgeState['routes'] = {}
  /** Called at each look at the machine. */
  onLook: () => void = () => {}
  /** What the next `docker compose up` and `start` end with, when not well. */
  readonly exits: { up?: Partial<Exit>; start?: Partial<Exit> } = {}
  /** Whether a proxy that is started stays up. */
  staysUp = true
  #isLocked = false

  constructor() {
    const { host } = this
    host.edgeState = () => {
      this.onLook()
      return { routes: this.routes, ...(this.proxy && { proxy: this.proxy }) }
    }
    host.edge.exclusively = async (work) => {
      if (this.#isLocked) throw new Error('the edge is locked already')
      this.#isLocked = true
      host.calls.push('lock')
      try {
        return await work()
      } finally {
        this.#isLocked = false
        host.calls.push('unlock')
      }
    }
    host.answer(/^id$/, { stdout: 'uid=1001(deploy) gid=1002(deploy) groups=1002(deploy),998(docker)\n' })
    host.answer(/^docker network ls /)
    host.answer(/ docker compose .* up --no-start proxy$/, () => this.#up())
    host.answer(/ docker compose .* start proxy$/, () => this.#start())
  }

  get isLocked(): boolean {
    return this.#isLocked
  }

  #up(): Partial<Exit> {
    if (this.exits.up) return this.exits.up
    const { image, labels } = (parse(this.host.edge.files.text('docker-compose.yml')) as ComposeFile).services.proxy
    const own = Object.entries(labels).flatMap(([name, value]) =>
      name.startsWith('stagecraft.edge.') ? [[name.slice('stagecraft.edge.'.length), value]] : [],
    )
    const { id } = this.host.engine.add({ name: 'stagecraft-edge-proxy-1', image, state: 'created' })
    this.proxy = { id, image, isRunning: false, labels: Object.fromEntries(own), networks: [] }
    return {}
  }
  #start(): Partial<Exit> {
    if (this.exits.start) return this.exits.start
    if (this.proxy && this.staysUp) this.proxy = { ...this.proxy, isRunning: true, address: '172.18.0.2' }
    return {}
  }
}
