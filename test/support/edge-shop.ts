/** A service with a route on lab hosts: an app in Node that can be slow, speaks WebSocket, and exits at once when told to stop. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import { Shop, type ShopOptions } from './shop.ts'

export interface EdgeShopOptions extends ShopOptions {
  /** YAML in one line, `DOMAIN` where its domain belongs; default one without TLS. */
  readonly route?: string
  readonly replicas?: number
  readonly role?: string
  /** Roles by host, the lab's in order; default the first host with every role. */
  readonly roles?: readonly string[]
  /** YAML in one line, in the place of `roles`. */
  readonly hosts?: string
  /** The proxy's image; default the lab's. */
  readonly image?: string
  /** More of `edge.providers.caddy`: `acme_server: …`. */
  readonly settings?: string
  /** A second environment on the same hosts, at `stage.<domain>`. */
  readonly stage?: boolean
}

export class EdgeShop extends Shop {
  readonly domain: string

  constructor(lab: Lab, options: EdgeShopOptions = {}) {
    super(lab, options)
    this.domain = `${this.name}.example.com`
    const { images, registry } = lab
    this.write(
      'stagecraft.yml',
      `project: { name: ${this.name}, registry: ${registry.address}/e2e/${this.name} }
edge: { provider: caddy, providers: { caddy: { image: "${options.image ?? images.caddy}"${options.settings === undefined ? '' : `, ${options.settings}`} } } }
environments:
  prod:
    hosts: ${options.hosts ?? this.hostsWith(options.roles)}
    variables: { NODE_IMAGE: "${images.node}" }
${options.environment ?? ''}${options.stage ? this.#stage(options.roles) : ''}services:
  web:
    replicas: ${options.replicas ?? 1}
${options.role === undefined ? '' : `    role: ${options.role}\n`}    route: ${options.route?.replaceAll('DOMAIN', this.domain) ?? `{ domains: ${this.domain}, tls: none, drain_seconds: 20 }`}
    rollout: { timeout_seconds: 20 }
`,
    )
    this.write('docker-compose.yml', compose)
    this.write(
      'Dockerfile',
      'ARG NODE_IMAGE\nFROM ${NODE_IMAGE}\nCOPY app.mjs version /\nCOPY assets /assets\nEXPOSE 8080\nCMD ["node", "/app.mjs"]\n',
    )
    this.write('app.mjs', app)
    this.version('v1')
  }

  /** The next deploy brings this. `broken` never answers well. */
  version(name: string): void {
    this.write('version', `${name}\n`)
    mkdirSync(this.path('assets'), { recursive: true })
    for (const file of readdirSync(this.path('assets'))) rmSync(join(this.path('assets'), file))
    this.write(`assets/${name}.js`, `asset of ${name}\n`)
    this.commit(name)
  }

  route(): { readonly address: string; readonly domain: string; readonly slowPath: string; readonly socketPath: string } {
    return { address: this.host.address, domain: this.domain, slowPath: '/slow', socketPath: '/socket' }
  }

  #stage(roles?: readonly string[]): string {
    const route = `{ domains: stage.${this.domain}, tls: none, port: 8080 }`
    return `  stage:\n    hosts: ${this.hostsWith(roles)}\n    variables: { NODE_IMAGE: "${this.lab.images.node}" }\n    services: { web: { route: ${route} } }\n`
  }

  /** YAML in one line. */
  hostsWith(roles: readonly string[] = ['']): string {
    const { hosts: machines, identityFile } = this.lab
    const named = roles.map((role, index) => {
      const { address, port } = machines[index] ?? { address: '', port: 0 }
      return `{ name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${identityFile}"${role === '' ? '' : `, roles: [${role}]`} }`
    })
    return `[${named.join(', ')}]`
  }

  /** What users see, headers and all, asked from this machine. */
  curl(path: string, ...more: readonly string[]): string {
    return this.onMachine('curl', '-s', '-i', '-H', `Host: ${this.domain}`, ...more, `http://${this.host.address}${path}`)
  }

  /** The lab's Caddy, that trusts the lab's authority. */
  publishTrustingProxy(image: string): void {
    const { images, registry } = this.lab
    const folder = this.path('trusting-proxy')
    mkdirSync(folder)
    copyFileSync(registry.caFile, join(folder, 'ca.crt'))
    this.write('trusting-proxy/Dockerfile', `FROM ${images.caddy}\nCOPY ca.crt /etc/ssl/certs/ca-certificates.crt\n`)
    this.onMachine('docker', '--config', registry.dockerConfigDir, 'build', '-q', '-t', image, folder)
    this.onMachine('docker', '--config', registry.dockerConfigDir, 'push', '-q', image)
    rmSync(folder, { recursive: true })
  }

  edgeFile(path: string): string {
    return this.onHost('cat', `/opt/stagecraft/edge/${path}`)
  }

  override remove(): void {
    const prefix = `${this.name}.`
    for (const { container } of this.lab.hosts) {
      const sh = (line: string) => this.onMachine('docker', 'exec', container, 'sh', '-c', line)
      sh(`ids=$(docker ps -aq --filter label=stagecraft.project=${this.name}); [ -z "$ids" ] || docker rm -f $ids >/dev/null`)
      sh(
        `for n in $(docker network ls -q --filter name=^${this.name}-); do docker network disconnect -f $n stagecraft-edge-proxy-1 2>/dev/null; docker network rm $n >/dev/null; done; true`,
      )
      try {
        this.#forget(container, prefix)
      } catch {
        // No proxy there.
      }
      sh(
        `cd /opt/stagecraft/edge 2>/dev/null && rm -rf services/${prefix}* live/${prefix}* live/.sets/${prefix}* maintenance/${prefix}* certificates/${prefix}* assets/${prefix}* || true`,
      )
    }
    super.remove()
  }

  /** What a deploy without the services would do. */
  #forget(container: string, prefix: string): void {
    const on = (...argv: string[]) => execFileSync('docker', ['exec', '-i', container, ...argv], { encoding: 'utf8' })
    const file = '/opt/stagecraft/edge/caddy.json'
    const config = JSON.parse(on('cat', file)) as CaddyFile
    const { http, tls } = config.apps
    const isOther = (part: { '@id': string }) => !part['@id'].startsWith(prefix)
    for (const server of Object.values(http.servers)) server.routes = server.routes.filter(isOther)
    tls.automation.policies = tls.automation.policies.filter(isOther)
    tls.certificates.load_files = tls.certificates.load_files.filter(isOther)
    tls.certificates.automate = tls.automation.policies.flatMap(({ subjects }) => subjects)
    const text = `${JSON.stringify(config, null, 1)}\n`
    execFileSync(
      'docker',
      ['exec', '-i', container, 'sh', '-c', `cat > ${file} && ln -sfn $(sha256sum < ${file} | cut -c1-64) ${file}.recorded`],
      { input: text },
    )
    on('docker', 'exec', 'stagecraft-edge-proxy-1', 'caddy', 'reload', '--config', '/edge/caddy.json')
  }
}

interface CaddyFile {
  readonly apps: {
    readonly http: { readonly servers: Record<string, { routes: { '@id': string }[] }> }
    readonly tls: {
      readonly automation: { policies: { '@id': string; readonly subjects: readonly string[] }[] }
      readonly certificates: { load_files: { '@id': string }[]; automate: readonly string[] }
    }
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
  else if (request.url.startsWith('/assets/')) {
    try { response.end(readFileSync(request.url)) } catch { response.statusCode = 404; response.end('no such asset') }
  }
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
