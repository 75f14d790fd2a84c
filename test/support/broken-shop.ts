/**
 * A routed service on lab hosts whose next version can be broken in any way, everywhere or on one host, while users of it look on.
 * Everything that a failed deploy could leave behind on a host can be listed.
 */
import { execFileSync } from 'node:child_process'
import type { Lab, LabHost } from '../lab/lab.ts'
import { EdgeShop } from './edge-shop.ts'
import { startTraffic, type TrafficReport } from './traffic.ts'

/** What the app does: see `app`. */
export type Mode =
  | 'good'
  | 'exits'
  | 'unhealthy'
  | 'silent'
  | 'dies-early'
  | 'dies-late'
  | 'dies-serving'
  | 'greedy'
  | 'flaps'
  | 'other-port'
  | 'port-taken'
  | 'deaf'

export interface NextVersion {
  readonly name: string
  readonly mode?: Mode
  /** Of the Dockerfile, in the place of `CMD ["node", "/app.mjs"]`; may be several lines. */
  readonly command?: string
  /** Below `services.web` of the Compose file, indented by four spaces. */
  readonly compose?: string
  /** The healthcheck's `test`; null for none at all. */
  readonly check?: string | null
  /** Of the healthcheck; default 3. */
  readonly retries?: number
  /** More services of the Compose file, indented by two spaces. */
  readonly beside?: string
}

export interface BrokenShopOptions {
  readonly hosts?: number
}

interface Settings {
  /** YAML of `environments.prod.rollout`. */
  readonly rollout?: string
  readonly replicas?: number
  /** Appended to the manifest. */
  readonly more?: string
}

interface Expected {
  /** The WebSocket must outlive it. */
  readonly wholeSocket: boolean
  readonly cut?: RegExp | undefined
}

const key = (name: string) => `${name}.prod.web`
export const check = '[CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/healthz"]'

export class BrokenShop extends EdgeShop {
  readonly machines: readonly LabHost[]
  readonly #manifest: string

  constructor(lab: Lab, { hosts = 1 }: BrokenShopOptions = {}) {
    const machines = lab.hosts.slice(0, hosts)
    const named = machines.map(({ address, port }, index) => {
      const roles = index === 0 && hosts > 1 ? '[gateway, app]' : '[app]'
      return `{ name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${lab.identityFile}", roles: ${roles} }`
    })
    super(lab, { hosts: `[${named.join(', ')}]`, role: 'app' })
    this.machines = machines
    this.edit('stagecraft.yml', (text) => text.replace('drain_seconds: 20', 'drain_seconds: 2').replace('DOMAIN', this.domain))
    this.edit('stagecraft.yml', (text) => text.replace('timeout_seconds: 20', 'timeout_seconds: 15, min_ready_seconds: 2'))
    this.#manifest = this.read('stagecraft.yml')
    this.write('app.mjs', app)
    this.next({ name: 'v1' })
  }

  configure({ rollout = '{}', replicas = 1, more = '' }: Settings): void {
    const manifest = this.#manifest.replace('    variables:', `    rollout: ${rollout}\n    variables:`)
    this.write('stagecraft.yml', `${manifest.replace('replicas: 1', `replicas: ${replicas}`)}${more}`)
  }

  /** What the next deploy brings. */
  next({
    name,
    mode = 'good',
    command = 'CMD ["node", "/app.mjs"]',
    compose = '',
    check: test = check,
    retries = 3,
    beside = '',
  }: NextVersion): void {
    this.write('mode', `${mode}\n`)
    this.write('Dockerfile', `ARG NODE_IMAGE\nFROM \${NODE_IMAGE}\nCOPY app.mjs version mode /\n${command}\n`)
    const health = test === null ? 'disable: true' : `test: ${test}, interval: 1s, timeout: 1s, retries: ${retries}`
    this.write(
      'docker-compose.yml',
      `services:
  web:
    build: { context: ., args: { NODE_IMAGE: "\${NODE_IMAGE}" } }
    expose: [8080]
    restart: unless-stopped
    stop_grace_period: 1s
    volumes: ["/srv/${this.name}:/probe:ro"]
    healthcheck: { ${health} }
${compose}${beside}`,
    )
    this.version(name)
  }

  /** From now on the version called so behaves like this on one host (from 1). */
  breakOn(host: number, version: string, mode: Mode): void {
    this.on(host, 'sh', '-c', 'mkdir -p "$0" && echo "$1" > "$0/mode-$2"', `/srv/${this.name}`, mode, version)
  }
  mend(host: number, version: string): void {
    this.on(host, 'rm', '-f', `/srv/${this.name}/mode-${version}`)
  }

  /** A program on a host (from 1). */
  on(host: number, ...argv: string[]): string {
    const machine = this.machines[host - 1]
    if (machine === undefined) throw new Error(`there is no host ${host}`)
    return execFileSync('docker', ['exec', machine.container, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }

  /** `web <id> running <restart policy> v1`, of all that is there, and what the edge sends requests to. */
  state(host: number): readonly string[] {
    const ids = this.on(host, 'docker', 'ps', '-aq', '--no-trunc', '--filter', `label=stagecraft.project=${this.name}`)
      .split('\n')
      .filter(Boolean)
    const format =
      '{{index .Config.Labels "stagecraft.service"}} {{.Id}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}} {{.Config.Image}} {{.Name}}'
    const containers = ids.length === 0 ? [] : this.on(host, 'docker', 'inspect', '--format', format, ...ids).split('\n')
    return [...containers.sort(), `live ${this.on(host, 'ls', `/opt/stagecraft/edge/live/${key(this.name)}/`)}`]
  }

  /** Which version each running container of `web` is, and the states of the others. */
  versions(host: number): string {
    const running = this.on(
      host,
      'docker',
      'ps',
      '-aq',
      '--filter',
      `label=stagecraft.project=${this.name}`,
      '--filter',
      'label=stagecraft.service=web',
    )
    return running
      .split('\n')
      .filter(Boolean)
      .map((id) => {
        const state = this.on(host, 'docker', 'inspect', '--format', '{{.State.Status}}', id)
        return state === 'running' ? this.on(host, 'docker', 'exec', id, 'cat', '/version') : state
      })
      .sort()
      .join(' ')
  }

  /** What nobody must leave on a host: locks, temporary files, trial routes, containers and networks beside the wanted ones. */
  leftOvers(host: number): readonly string[] {
    const find = (...argv: string[]) =>
      this.on(host, 'sh', '-c', `find "$@" 2>/dev/null || true`, 'sh', ...argv)
        .split('\n')
        .filter(Boolean)
    const own = this.remoteDirectory
    return [
      ...find(own, '-name', '*lock*', '-type', 'f'),
      ...find(
        own,
        '/opt/stagecraft/edge',
        '(',
        '-name',
        '*.tmp*',
        '-o',
        '-name',
        '*.part*',
        '-o',
        '-name',
        '*.next*',
        ')',
        '-not',
        '-path',
        '*/data/*',
      ),
      ...find('/opt/stagecraft/edge/live', '-name', `*${key(this.name)}.trial*`),
      ...find('/opt/stagecraft/edge/live/.sets', '-mindepth', '1', '-maxdepth', '1', '-name', `${key(this.name)}-*`).slice(1),
    ]
  }

  /** Users come and go while it happens. @param cut tells which failures there may be; none unless told. @throws when a user met another. */
  async underTraffic<T>(
    work: () => Promise<T>,
    { wholeSocket, cut }: Expected,
  ): Promise<T & { readonly report: TrafficReport; readonly tookMs: number }> {
    const traffic = startTraffic(this.route())
    await traffic.until('v')
    const startedAt = performance.now()
    const done = await work()
    const tookMs = Math.round(performance.now() - startedAt)
    const report = await traffic.stop()
    const failures = report.failures.filter((failure) => cut === undefined || !cut.test(failure))
    if (failures.length > 0) throw new Error(`${failures.length} users met: ${failures.slice(0, 10).join('\n')}`)
    if (report.slow.finished === 0) throw new Error('no slow request finished')
    if (report.socket.echoes === 0) throw new Error('the WebSocket said nothing')
    if (wholeSocket && report.socket.endedAfterMs !== undefined)
      throw new Error(`the WebSocket ended after ${report.socket.endedAfterMs} ms`)
    return { ...done, report, tookMs }
  }

  override remove(): void {
    for (const { container } of this.machines) {
      this.onMachine('docker', 'exec', container, 'rm', '-rf', `/srv/${this.name}`)
      this.onMachine('docker', 'exec', container, 'rm', '-rf', `/opt/stagecraft/${this.name}`)
    }
    super.remove()
  }
}

const app = `import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const read = (path) => { try { return readFileSync(path, 'utf8').trim() } catch { return undefined } }
const version = read('/version')
const mode = read('/probe/mode-' + version) ?? read('/mode')
console.log('this is ' + version + ', ' + mode)
const die = (why) => { console.error(why); process.exit(3) }
if (mode === 'exits') die('cannot find the shop window')
if (mode === 'deaf') process.on('SIGTERM', () => console.log('not listening'))
else process.on('SIGTERM', () => process.exit(0))
if (mode === 'greedy') { const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 20) }
let checks = 0
let asked = 0
const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    checks += 1
    if (mode === 'silent') return
    const isSick = mode === 'unhealthy' || (mode === 'flaps' && checks % 2 === 0)
    response.statusCode = isSick ? 503 : 200
    response.end(isSick ? 'the shelves are empty' : 'ok')
    if (mode === 'dies-late') setTimeout(() => die('lost the key of the till'), 500)
  } else if (request.url === '/slow') { response.write('slow '); setTimeout(() => response.end(version), 1500) }
  else {
    if (mode === 'dies-serving' && ++asked > 20) die('so many people')
    response.end(version)
  }
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n')
  socket.on('data', () => socket.write(Buffer.from([0x81, 2, 0x68, 0x69])))
  socket.on('error', () => {})
})
server.listen(mode === 'other-port' ? 9090 : 8080)
if (mode === 'other-port') createServer((_, response) => response.end('ok')).listen(8080, '127.0.0.1')
if (mode === 'port-taken') createServer().listen(8080)
if (mode === 'dies-early') setTimeout(() => die('lost the key of the till'), 500)
`
