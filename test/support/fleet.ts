/** A small project on three hosts of the lab: `app` on all of them, `store` on the third. What is broken is broken on one host. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Lab, LabHost } from '../lab/lab.ts'
import { Shop } from './shop.ts'

export interface FleetContainer {
  readonly host: string
  readonly id: string
  readonly service: string
  readonly state: string
}

export class Fleet extends Shop {
  readonly #hosts: readonly LabHost[]

  constructor(lab: Lab) {
    super(lab, { user: 'deploy' })
    this.#hosts = lab.hosts.slice(0, 3)
    rmSync(this.path('migrations'), { recursive: true, force: true })
    this.configure()
    this.write('docker-compose.yml', compose(this.name))
    this.write('web/Dockerfile', `FROM ${lab.images.busybox}\nCOPY www /www\nCOPY start.sh /start.sh\nCMD ["sh", "/start.sh"]\n`)
    this.write('web/start.sh', start)
    this.writeEnvironment({ SECRET: 'shush' })
    this.release('1')
  }

  /** Writes the manifest. @param rollout YAML of `environments.prod.rollout`. */
  configure({ rollout = '{}', app = ['node-1', 'node-2', 'node-3'], store = 'node-3', services = '' }: Configuration = {}): void {
    const host = (name: string, roles: readonly string[]) => {
      const { address, port } = this.hostOf(name)
      return `      - { name: ${name}, address: "${address}", port: ${port}, user: deploy, identity_file: "${this.lab.identityFile}", roles: [${roles.join(', ')}] }\n`
    }
    const hosts = ['node-1', 'node-2', 'node-3'].map((name) =>
      host(name, [...(app.includes(name) ? ['app'] : []), ...(store === name ? ['db'] : [])]),
    )
    this.write(
      'stagecraft.yml',
      `project: { name: ${this.name}, registry: ${this.lab.registry.address}/e2e/${this.name} }
environments:
  prod:
    hosts:
${hosts.join('')}    env_file: .env.prod
    variables: { BASE_IMAGE: ${this.lab.images.busybox} }
    rollout: ${rollout}
services:
  app: { role: app, replicas: 2 }
  store: { role: db, port: 7000, rollout: { min_ready_seconds: 1 } }
${services}`,
    )
  }

  /** A version of `app`: its image changes. */
  release(version: string): void {
    this.write('web/www/version', `${version}\n`)
  }

  /** From now on, `version` of `app` exits at once on a host; nothing else does. */
  breakOn(host: string, version: string): void {
    this.on(host, 'sh', '-c', 'mkdir -p "$0" && touch "$0/broken-$1"', `/srv/${this.name}`, version)
  }
  mend(host: string, version: string): void {
    this.on(host, 'rm', '-f', `/srv/${this.name}/broken-${version}`)
  }

  hostOf(name: string): LabHost {
    const found = this.#hosts[Number(name.split('-')[1]) - 1]
    if (!found) throw new Error(`the lab has no ${name}`)
    return found
  }

  on(host: string, ...argv: string[]): string {
    return execFileSync('docker', ['exec', this.hostOf(host).container, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Every container of the project, on all hosts. */
  everywhere(): readonly FleetContainer[] {
    return ['node-1', 'node-2', 'node-3'].flatMap((host) => {
      const format = '{{.ID}}\t{{.Label "stagecraft.service"}}\t{{.State}}'
      const text = this.on(
        host,
        'docker',
        'ps',
        '--all',
        '--no-trunc',
        '--filter',
        `label=stagecraft.project=${this.name}`,
        '--format',
        format,
      )
      return text.split('\n').flatMap((line) => {
        const [id = '', service = '', state = ''] = line.split('\t')
        return id === '' ? [] : [{ host, id, service, state }]
      })
    })
  }

  /** `node-1 app 1 1`: the versions that answer, by host; a container that does not run is told by its state. */
  versions(): readonly string[] {
    const found = this.everywhere().filter(({ service }) => service === 'app')
    return ['node-1', 'node-2', 'node-3'].map((host) => {
      const here = found.filter((container) => container.host === host)
      return [host, ...here.map(({ id, state }) => (state === 'running' ? this.versionIn(host, id) : state)).sort()].join(' ')
    })
  }

  private versionIn(host: string, id: string): string {
    return this.on(host, 'docker', 'exec', id, 'cat', '/www/version').trim()
  }

  override remove(): void {
    for (const host of ['node-1', 'node-2', 'node-3']) {
      const ids = this.everywhere().flatMap((container) => (container.host === host ? [container.id] : []))
      if (ids.length > 0) this.on(host, 'docker', 'rm', '--force', '--volumes', ...ids)
      for (const kind of ['volume', 'network']) {
        const label = `label=com.docker.compose.project=${this.name}-prod`
        const names = this.on(host, 'docker', kind, 'ls', '--quiet', '--filter', label).split('\n').filter(Boolean)
        if (names.length > 0) this.on(host, 'docker', kind, 'rm', ...names)
      }
      this.on(host, 'rm', '-rf', `/opt/stagecraft/${this.name}`, `/srv/${this.name}`)
    }
    super.remove()
  }
}

export interface Configuration {
  readonly rollout?: string
  /** Names of hosts. */
  readonly app?: readonly string[]
  readonly store?: string
  /** More below `services`, indented by two. */
  readonly services?: string
}

const start = `version=$(cat /www/version)
test -e /probe/broken-$version && echo "cannot serve $version here" && exit 3
exec httpd -f -p 8080 -h /www
`

const compose = (name: string) => `services:
  app:
    build: ./web
    environment: { STORE: "\${STORE_HOST}:\${STORE_PORT}" }
    depends_on: [store]
    volumes: ["/srv/${name}:/probe:ro"]
    stop_grace_period: 1s
    restart: unless-stopped
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/version"]
      interval: 1s
  store:
    image: \${BASE_IMAGE}
    command: [httpd, -f, -p, "7000"]
    stop_grace_period: 1s
    restart: unless-stopped
`
