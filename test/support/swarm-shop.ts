/** A small project on a swarm of two hosts of the lab: `app` behind a port of its nodes, `store` behind none. */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { request } from 'node:http'
import type { Lab, LabHost } from '../lab/lab.ts'
import { Shop } from './shop.ts'

export const appPort = 18_080

export class SwarmShop extends Shop {
  readonly token = `token-${this.password}-{{x}}$HOME`
  readonly #hosts: readonly LabHost[]

  constructor(lab: Lab) {
    super(lab, { user: 'deploy' })
    this.#hosts = lab.hosts.slice(0, 2)
    rmSync(this.path('migrations'), { recursive: true, force: true })
    this.write('web/Dockerfile', `FROM ${lab.images.busybox}\nCOPY www /www\nCOPY start.sh /start.sh\nCMD ["sh", "/start.sh"]\n`)
    this.write('web/start.sh', start)
    this.write('web/motd', 'hello\n')
    this.writeEnvironment({ TOKEN: this.token })
    this.configure()
    this.release('1')
  }

  configure({ stores = 2, isStoreThere = true }: { readonly stores?: number; readonly isStoreThere?: boolean } = {}): void {
    const hosts = this.#hosts.map(
      ({ address, port }, index) =>
        `      - { name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${this.lab.identityFile}", roles: [${index === 0 ? 'app' : 'app, db'}] }\n`,
    )
    this.write(
      'stagecraft.yml',
      `project: { name: ${this.name}, registry: ${this.lab.registry.address}/e2e/${this.name} }
environments:
  prod:
    hosts:
${hosts.join('')}    env_file: .env.prod
    variables: { BASE_IMAGE: ${this.lab.images.busybox} }
    rollout: { target: swarm, min_ready_seconds: 1, timeout_seconds: 30 }
services:
  app: { role: app, rollout: { order: start-first } }
${isStoreThere ? `  store: { role: db, replicas: ${stores} }\n` : ''}`,
    )
    this.write('docker-compose.yml', compose(isStoreThere))
  }

  /** `broken` exits at once. */
  release(version: string): void {
    this.write('web/www/version', `${version}\n`)
  }

  /** On the first host a manager, on the second a worker. */
  joinSwarm(): void {
    const [first, second] = this.#hosts
    if (!first || !second) throw new Error('the lab has too few hosts')
    this.leaveSwarm()
    this.on(0, 'docker', 'swarm', 'init', '--advertise-addr', first.address)
    const token = this.on(0, 'docker', 'swarm', 'join-token', '--quiet', 'worker').trim()
    this.on(1, 'docker', 'swarm', 'join', '--token', token, `${first.address}:2377`)
  }

  leaveSwarm(): void {
    for (const index of [1, 0]) {
      try {
        this.on(index, 'docker', 'swarm', 'leave', '--force')
      } catch {
        // It is in none.
      }
    }
  }

  on(index: number, ...argv: string[]): string {
    const host = this.#hosts[index]
    if (!host) throw new Error(`the lab has no host ${index}`)
    return execFileSync('docker', ['exec', host.container, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  inspect(service: string): ServiceRow {
    return (JSON.parse(this.on(0, 'docker', 'service', 'inspect', `${this.name}-prod_${service}`)) as [ServiceRow])[0]
  }

  /** `store 2/2`, sorted. */
  services(): readonly string[] {
    const rows = this.on(0, 'docker', 'service', 'ls', '--format', '{{.Name}} {{.Replicas}}').split('\n')
    return rows.flatMap((row) => (row.startsWith(`${this.name}-prod_`) ? [row.slice(`${this.name}-prod_`.length)] : [])).sort()
  }

  /** A program in a copy of a service, on whichever host that is. */
  inside(service: string, ...argv: string[]): string {
    const label = `label=com.docker.swarm.service.name=${this.name}-prod_${service}`
    for (const index of [0, 1]) {
      const [id] = this.on(index, 'docker', 'ps', '--quiet', '--filter', label).split('\n').filter(Boolean)
      if (id !== undefined) return this.on(index, 'docker', 'exec', id, ...argv)
    }
    throw new Error(`${service} runs nowhere`)
  }

  /** In every copy that runs. One that stops between being listed and being asked is none of them. */
  insideEach(service: string, ...argv: string[]): readonly string[] {
    const label = `label=com.docker.swarm.service.name=${this.name}-prod_${service}`
    const ids = (index: number) => this.on(index, 'docker', 'ps', '--quiet', '--filter', label).split('\n').filter(Boolean)
    return [0, 1].flatMap((index) =>
      ids(index).flatMap((id) => {
        try {
          return [this.on(index, 'docker', 'exec', id, ...argv).trim()]
        } catch (error) {
          if (ids(index).includes(id)) throw error
          return []
        }
      }),
    )
  }

  /** What a load balancer in front of the nodes would get: the first answer of any of them. */
  async version(): Promise<string | undefined> {
    const answers = await Promise.all(this.#hosts.map(({ address }) => answer(address)))
    return answers.find((text) => text !== undefined)
  }

  /** Asks again and again until it is over. */
  async underRequests<T>(
    work: Promise<T>,
  ): Promise<{ readonly result: T; readonly asked: number; readonly unanswered: number; readonly seen: readonly string[] }> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    work.then(end, end)
    let [asked, unanswered] = [0, 0]
    const seen = new Set<string>()
    while (!isOver) {
      const text = await this.version()
      asked++
      if (text === undefined) unanswered++
      else seen.add(text)
    }
    return { result: await work, asked, unanswered, seen: [...seen] }
  }

  override remove(): void {
    this.leaveSwarm()
    for (const index of [0, 1]) this.on(index, 'rm', '-rf', `/opt/stagecraft/${this.name}`)
    super.remove()
  }
}

interface ServiceRow {
  readonly Spec: {
    readonly Labels: Readonly<Record<string, string>>
    readonly TaskTemplate: {
      readonly ContainerSpec: { readonly Image: string; readonly Secrets?: readonly { readonly SecretName: string }[] }
    }
  }
  readonly UpdateStatus?: { readonly State: string }
}

function answer(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port: appPort, path: '/version', agent: false, timeout: 2000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(response.statusCode === 200 ? text.trim() : undefined))
      response.on('error', () => resolve(undefined))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
}

const start = `version=$(cat /www/version)
test "$version" = broken && echo "cannot serve $version" && exit 3
exec httpd -f -p 8080 -h /www
`

const compose = (isStoreThere: boolean) => `services:
  app:
    build: ./web
    environment: { GREETING: "{{hello}} $$1" }
    ports: [{ target: 8080, published: ${appPort}, mode: host }]
    volumes: ["./web/motd:/etc/motd:ro"]
    secrets: [token]
    deploy: { endpoint_mode: dnsrr }
    stop_grace_period: 1s
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/version"]
      interval: 1s
${
  isStoreThere
    ? `  store:
    image: \${BASE_IMAGE}
    command: httpd -f -p 7000
    deploy: { endpoint_mode: dnsrr }
    stop_grace_period: 1s
`
    : ''
}secrets:
  token: { environment: TOKEN }
`
