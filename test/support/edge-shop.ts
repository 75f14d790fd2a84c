/** A service with a route on lab hosts: an app in Node that can be slow, speaks WebSocket, and exits at once when told to stop. */
import { execFileSync } from 'node:child_process'
import type { Lab } from '../lab/lab.ts'
import { Shop, type ShopOptions } from './shop.ts'

export interface EdgeShopOptions extends ShopOptions {
  /** Default `route: {domains: <domain>, tls: none}`; YAML in one line. */
  readonly route?: string
  readonly replicas?: number
  readonly role?: string
  /** YAML of `environments.prod.hosts`, in one line; default the first host with every role. */
  readonly hosts?: string
}

export class EdgeShop extends Shop {
  readonly domain: string

  constructor(lab: Lab, options: EdgeShopOptions = {}) {
    super(lab, options)
    this.domain = `${this.name}.example.com`
    const { identityFile, images, registry } = lab
    const user = options.user ?? 'deploy'
    const hosts =
      options.hosts ??
      `[{ name: node-1, address: "${this.host.address}", port: ${this.host.port}, user: ${user}, identity_file: "${identityFile}" }]`
    this.write(
      'stagecraft.yml',
      `project: { name: ${this.name}, registry: ${registry.address}/e2e/${this.name} }
edge: { provider: caddy, providers: { caddy: { image: "${images.caddy}" } } }
environments:
  prod:
    hosts: ${hosts}
    variables: { NODE_IMAGE: "${images.node}" }
${options.environment ?? ''}services:
  web:
    replicas: ${options.replicas ?? 1}
${options.role === undefined ? '' : `    role: ${options.role}\n`}    route: ${options.route ?? `{ domains: ${this.domain}, tls: none, drain_seconds: 20 }`}
    rollout: { timeout_seconds: 20 }
`,
    )
    this.write('docker-compose.yml', compose)
    this.write('Dockerfile', 'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY app.mjs version /\nEXPOSE 8080\nCMD ["node", "/app.mjs"]\n')
    this.write('app.mjs', app)
    this.version('v1')
  }

  /** The next deploy brings this. `broken` never answers well. */
  version(name: string): void {
    this.write('version', `${name}\n`)
    this.commit(name)
  }

  route(): { readonly address: string; readonly domain: string; readonly slowPath: string; readonly socketPath: string } {
    return { address: this.host.address, domain: this.domain, slowPath: '/slow', socketPath: '/socket' }
  }

  edgeFile(path: string): string {
    return this.onHost('cat', `/opt/stagecraft/edge/${path}`)
  }

  override remove(): void {
    const key = `${this.name}.prod.web`
    for (const { container } of this.lab.hosts) {
      const sh = (line: string) => this.onMachine('docker', 'exec', container, 'sh', '-c', line)
      sh(`ids=$(docker ps -aq --filter label=stagecraft.project=${this.name}); [ -z "$ids" ] || docker rm -f $ids >/dev/null`)
      sh(`docker network disconnect -f ${this.name}-prod_stagecraft-edge stagecraft-edge-proxy-1 2>/dev/null || true`)
      try {
        this.#forget(container, key)
      } catch {
        // No proxy there.
      }
      sh(`cd /opt/stagecraft/edge 2>/dev/null && rm -rf services/${key}.* live/${key} live/.sets/${key}-* maintenance/${key}.html || true`)
    }
    super.remove()
  }

  /** What a deploy without the service would do. */
  #forget(container: string, key: string): void {
    const on = (...argv: string[]) => execFileSync('docker', ['exec', '-i', container, ...argv], { encoding: 'utf8' })
    const file = '/opt/stagecraft/edge/caddy.json'
    const config = JSON.parse(on('cat', file)) as { apps: { http: { servers: Record<string, { routes: { '@id': string }[] }> } } }
    for (const server of Object.values(config.apps.http.servers))
      server.routes = server.routes.filter((route) => !route['@id'].startsWith(`${key}/`))
    const text = `${JSON.stringify(config, null, 1)}\n`
    execFileSync(
      'docker',
      ['exec', '-i', container, 'sh', '-c', `cat > ${file} && ln -sfn $(sha256sum < ${file} | cut -c1-64) ${file}.recorded`],
      { input: text },
    )
    on('docker', 'exec', 'stagecraft-edge-proxy-1', 'caddy', 'reload', '--config', '/edge/caddy.json')
  }
}

const compose = `services:
  web:
    build: { context: ., args: { NODE_IMAGE: "\${NODE_IMAGE}" } }
    expose: [8080]
    restart: unless-stopped
    stop_grace_period: 2s
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/healthz"]
      interval: 1s
      timeout: 2s
      retries: 5
`

const app = `import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const version = readFileSync('/version', 'utf8').trim()
const server = createServer((request, response) => {
  if (request.url === '/healthz') response.end('ok')
  else if (version.startsWith('broken')) { response.statusCode = 500; response.end(version) }
  else if (request.url === '/slow') { response.write('slow '); setTimeout(() => response.end(version), 1500) }
  else response.end(version)
})
server.on('upgrade', (request, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\\r\\n\\r\\n')
  socket.on('data', (data) => socket.write(Buffer.from([0x81, 2, 0x68, 0x69])))
  socket.on('error', () => {})
})
// The rudest there is: nothing in flight is finished after this.
process.on('SIGTERM', () => process.exit(0))
server.listen(8080)
`
