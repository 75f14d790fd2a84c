/** A host in memory with a proxy in front of it: what the proxy has loaded and answers follows from the files of its edge folder. */
import { createHash } from 'node:crypto'
import { Duplex } from 'node:stream'
import { liveHost } from '../../tasks/edge/caddy-route.ts'
import { assembledFile, liveLink, maintenancePage, recordedLink, routeFile } from '../../tasks/edge/layout.ts'
import type { Route } from '../../tasks/edge/route.ts'
import type { Site } from '../../tasks/edge/site.ts'
import type { EdgeState, ProxyContainer, RouteFiles } from '../../tasks/ports/edge.ts'
import { type Given, taskContext } from '../tasks/rendering/task-context.ts'
import { FakeHost } from './fake-host.ts'
import { sampleRoute } from './routes.ts'

export class EdgeHost extends FakeHost {
  readonly route: Route
  proxy: ProxyContainer | undefined
  /** What the service answers through the proxy, under any name of its own. */
  status = 200
  /** Names that were asked for, in order. */
  readonly asked: string[] = []
  /** What Caddy says it sees in the service's live folder; by default what is there. */
  sees: () => string | undefined = () => this.liveFiles()[0]
  readonly lines: string[] = []
  readonly controller = new AbortController()

  constructor(more: Partial<Route> = {}) {
    super()
    this.route = sampleRoute(more)
    this.proxy = { id: 'proxy', image: 'caddy', isRunning: true, labels: {}, networks: [this.route.network], address: '172.18.0.9' }
    this.edgeState = () => this.#look()
  }

  site(given: Given = {}): Site {
    const context = { ...taskContext({ ...given, host: this }), signal: this.controller.signal }
    return { host: this, route: this.route, context: { ...context, log: (line) => void this.lines.push(line) } }
  }
  /** Somebody changed the proxy by hand. */
  alter(change: Partial<ProxyContainer>): void {
    if (this.proxy) this.proxy = { ...this.proxy, ...change }
    this.changed()
  }
  /** Names of the shares that are served now. */
  liveFiles(key = this.route.key): readonly string[] {
    const target = this.edge.files.target(liveLink(key))
    const folder = `live/${target}/`
    return this.edge.files.tree().flatMap((path) => (path.startsWith(folder) && path !== folder ? [path.slice(folder.length)] : []))
  }
  /** Calls that changed something at the edge, or asked the engine to. */
  edgeCalls(): readonly string[] {
    return this.writes().filter((call) => !call.startsWith('connect '))
  }

  override async connect(address: string, port: number): Promise<Duplex> {
    await super.connect(address, port)
    let text = ''
    const socket: Duplex = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _, done) => {
        text += chunk
        if (text.includes('\r\n\r\n')) {
          socket.push(this.#answer(/^host: (.*)\r$/im.exec(text)?.[1] ?? ''))
          socket.push(null)
        }
        done()
      },
    })
    return socket
  }

  #answer(name: string): string {
    this.asked.push(name)
    const seen = this.sees()
    const isLive = name === liveHost(this.route.key)
    const status = isLive ? (seen === undefined ? 404 : 200) : this.status
    const body = isLive ? `/${seen ?? ''}` : 'hello'
    return `HTTP/1.1 ${status} Answer\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  }
  #look(): EdgeState {
    const { key, provider } = this.route
    const config = this.#hash(routeFile(provider, key))
    const live = this.edge.files.target(liveLink(key))
    const isPaused = this.edge.files.has(maintenancePage(key))
    const files: RouteFiles = { ...(config !== undefined && { config }), ...(live !== undefined && { live }), isPaused }
    const assembled = this.#hash(assembledFile)
    const recorded = this.edge.files.target(recordedLink)
    return {
      ...(this.proxy && { proxy: this.proxy }),
      routes: { [key]: files },
      ...(assembled !== undefined && { assembled }),
      ...(recorded !== undefined && { recorded }),
    }
  }
  #hash(path: string): string | undefined {
    if (!this.edge.files.has(path)) return undefined
    return createHash('sha256').update(this.edge.files.text(path)).digest('hex')
  }
}

/** Time passes by `stepMs` whenever somebody looks at the clock. */
export async function hurried<T>(stepMs: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date
  let time = now()
  Date.now = () => {
    time += stepMs
    return time
  }
  try {
    return await work()
  } finally {
    Date.now = now
  }
}
