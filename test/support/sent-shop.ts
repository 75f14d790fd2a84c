/** A project on two hosts of the lab whose images go there without a registry: a large layer that stays, and a small one that changes. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type DelayProxy, startDelayProxy } from '../lab/delay-proxy.ts'
import type { Lab, LabHost } from '../lab/lab.ts'
import { Shop } from './shop.ts'

export interface SentSetting {
  /** Names of hosts. */
  readonly hosts?: readonly string[]
  /** YAML of `project`, in place of what sends. */
  readonly project?: string
  /** Another port of sshd, by host. */
  readonly ports?: Readonly<Record<string, number>>
}

export const hostNames = ['node-1', 'node-2'] as const

export class SentShop extends Shop {
  /** Between us and each host: it counts bytes and can be cut. */
  readonly links = new Map<string, DelayProxy>()
  readonly #hosts: readonly LabHost[]

  static async open(lab: Lab): Promise<SentShop> {
    const shop = new SentShop(lab)
    for (const name of hostNames) {
      const { address, port } = shop.hostOf(name)
      shop.links.set(name, await startDelayProxy({ target: { host: address, port }, delayMs: 0 }))
    }
    shop.configure()
    return shop
  }

  private constructor(lab: Lab) {
    super(lab, { user: 'deploy' })
    this.#hosts = lab.hosts
    for (const path of ['migrations', 'api', 'worker']) rmSync(this.path(path), { recursive: true, force: true })
    mkdirSync(this.path('web/www'), { recursive: true })
    this.write('docker-compose.yml', compose)
    this.write(
      'web/Dockerfile',
      `FROM ${lab.images.busybox}\nCOPY base /base\nCOPY more /more\nCOPY www /www\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n`,
    )
    this.layer('base', 12_000_000)
    this.layer('more', 11_000_000)
    this.release('1')
    this.writeEnvironment({ SECRET: 'shush' })
  }

  /** Writes the manifest. */
  configure({ hosts = hostNames, project = 'transfer: ssh', ports = {} }: SentSetting = {}): void {
    const listed = hosts.map((name) => {
      const { address } = this.hostOf(name)
      const at = ports[name] === undefined ? { host: '127.0.0.1', port: this.link(name).port } : { host: address, port: ports[name] }
      return `      - { name: ${name}, address: "${at.host}", port: ${at.port}, user: deploy, identity_file: "${this.lab.identityFile}", roles: [app] }\n`
    })
    this.write(
      'stagecraft.yml',
      `project: { name: ${this.name}, ${project} }
environments:
  prod:
    hosts:
${listed.join('')}    env_file: .env.prod
services:
  web: { role: app, rollout: { min_ready_seconds: 1 } }
`,
    )
    this.write('stagecraft.known_hosts', this.#pins(ports))
  }

  /** The version: in a layer above the large ones. */
  release(version: string): void {
    this.write('web/www/version', `${version}\n`)
  }

  /** New content, which cannot be packed, for one of the large layers. */
  layer(name: 'base' | 'more', bytes: number): void {
    writeFileSync(this.path(`web/${name}`), randomBytes(bytes))
  }

  link(name: string): DelayProxy {
    const found = this.links.get(name)
    if (!found) throw new Error(`there is no link to ${name}`)
    return found
  }

  hostOf(name: string): LabHost {
    const found = this.#hosts[Number(name.split('-')[1]) - 1]
    if (!found) throw new Error(`the lab has no ${name}`)
    return found
  }

  on(name: string, ...argv: string[]): string {
    return execFileSync('docker', ['exec', this.hostOf(name).container, ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  }

  /** What answers on a host: its version, and the ids of its containers. */
  runs(name: string): { readonly version: string; readonly containers: readonly string[] } {
    const filter = `label=stagecraft.project=${this.name}`
    const containers = this.on(name, 'docker', 'ps', '--quiet', '--no-trunc', '--filter', filter).split('\n').filter(Boolean)
    const [first = ''] = containers
    return { version: first === '' ? '' : this.on(name, 'docker', 'exec', first, 'cat', '/www/version'), containers }
  }

  /** Names of the project's images on a host, sorted. */
  images(name: string): readonly string[] {
    const text = this.on(name, 'docker', 'images', '--format', '{{.Repository}}:{{.Tag}}', `${this.name}-web`)
    return text.split('\n').filter(Boolean).sort()
  }

  /** As if its disk were new. */
  wipe(name: string): void {
    const ids = this.on(name, 'docker', 'ps', '--all', '--quiet', '--filter', `label=stagecraft.project=${this.name}`)
      .split('\n')
      .filter(Boolean)
    if (ids.length > 0) this.on(name, 'docker', 'rm', '--force', '--volumes', ...ids)
    const images = this.images(name)
    if (images.length > 0) this.on(name, 'docker', 'image', 'rm', '--force', ...images)
    const networks = this.on(name, 'docker', 'network', 'ls', '--quiet', '--filter', `name=^${this.name}-`).split('\n').filter(Boolean)
    if (networks.length > 0) this.on(name, 'docker', 'network', 'rm', ...networks)
    this.on(name, 'rm', '-rf', `/opt/stagecraft/${this.name}`)
  }

  override remove(): void {
    for (const name of hostNames) this.wipe(name)
    super.remove()
    for (const link of this.links.values()) void link.close()
    const local = execFileSync('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}', `${this.name}-web`], { encoding: 'utf8' })
    const names = local.split('\n').filter(Boolean)
    if (names.length > 0) execFileSync('docker', ['image', 'rm', '--force', ...names], { stdio: 'ignore' })
  }

  #pins(ports: Readonly<Record<string, number>>): string {
    const known = readFileSync(this.lab.knownHostsFile, 'utf8').split('\n')
    const lines = hostNames.flatMap((name) => {
      const { address } = this.hostOf(name)
      const [, ...key] = (known.find((line) => line.split(' ')[0]?.split(',').includes(address)) ?? '').split(' ')
      const places = [`[127.0.0.1]:${this.link(name).port}`, ...(ports[name] === undefined ? [] : [`[${address}]:${ports[name]}`])]
      return places.map((place) => `${place} ${key.join(' ')}\n`)
    })
    return lines.join('')
  }
}

const compose = `services:
  web:
    build: ./web
    stop_grace_period: 1s
    restart: unless-stopped
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/version"]
      interval: 1s
`
