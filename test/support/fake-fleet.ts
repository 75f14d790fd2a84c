/** An environment with two hosts in memory: `node-1` (app, db) runs `api` and `db`, `node-2` (app) runs `api`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { App, GlobalOptions } from '../../src/contracts.ts'
import { type Fleet, openFleet } from '../../src/operations/fleet.ts'
import type { Selection } from '../../src/operations/selection.ts'
import type { HostPool } from '../../src/session/hosts.ts'
import { CapturedStream } from './captured-stream.ts'
import { FakeHost } from './fake-host.ts'
import { inTemporaryDirectory } from './temporary-directory.ts'

const manifest = `project: { name: shop }
environments:
  prod:
    hosts:
      - { name: node-1, address: 203.0.113.1, user: deploy, roles: [app, db] }
      - { name: node-2, address: 203.0.113.2, user: deploy, roles: [app] }
    env_file: .env.prod
services:
  api: { role: app, replicas: 2 }
  db: { role: db }
`
const compose = `services:
  api: { image: "registry.example/shop/api:1", environment: { TOKEN: "\${TOKEN}" } }
  db: { image: "postgres:17", ports: ["5432:5432"] }
`

export interface FakeFleet {
  readonly fleet: Fleet
  readonly hosts: Readonly<Record<'node-1' | 'node-2', FakeHost>>
  readonly app: App
  readonly globals: GlobalOptions
  readonly directory: string
  readonly stdout: CapturedStream
  readonly stderr: CapturedStream
  /** Ctrl-C. */
  interrupt(): void
  /** Hosts whose connections were dropped. */
  readonly redialed: string[]
}

export interface FakeFleetOptions {
  readonly selection?: Selection
  readonly now?: () => Date
  readonly placed?: boolean
  /** In the place of those that are there. */
  readonly hosts?: Partial<FakeFleet['hosts']>
  /** Written before the fleet is opened. */
  readonly files?: Readonly<Record<string, string>>
}

export function withFakeFleet(options: FakeFleetOptions, work: (fake: FakeFleet) => Promise<void>): Promise<void> {
  return inTemporaryDirectory(async (directory) => {
    const files = { 'stagecraft.yml': manifest, 'docker-compose.yml': compose, '.env.prod': 'TOKEN=a-secret-token\n', ...options.files }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
    const hosts = { 'node-1': new FakeHost('node-1'), 'node-2': new FakeHost('node-2'), ...options.hosts }
    const [stdout, stderr] = [new CapturedStream(), new CapturedStream()]
    const controller = new AbortController()
    const app: App = {
      cwd: directory,
      env: {},
      stdin: process.stdin,
      stdout: stdout.asTerminal(),
      stderr: stderr.asTerminal(),
      signal: controller.signal,
      now: options.now ?? (() => new Date('2026-01-09T00:00:00.000Z')),
    }
    const redialed: string[] = []
    const openHosts = (): HostPool => {
      const used = new Set<string>()
      return {
        host: (name) => {
          used.add(name)
          return hosts[name as keyof typeof hosts]
        },
        lockable: () => {
          throw new Error('an operation takes no lock')
        },
        operator: () => ({}) as never,
        appendOnly: () => {
          throw new Error('an operation appends to nothing')
        },
        acts: () => {
          throw new Error('an operation tells of nothing')
        },
        journal: () => {
          throw new Error('an operation keeps no journal')
        },
        lock: () => {
          throw new Error('an operation looks at no lock')
        },
        lookAhead: () => {},
        stats: () => ({}),
        close: async () => void redialed.push(...used),
      }
    }
    const globals: GlobalOptions = { config: 'stagecraft.yml', verbose: false, quiet: false, dryRun: false }
    const { selection = {}, placed = false } = options
    const fleet = await openFleet(selection, globals, app, { openHosts, placed })
    try {
      await work({ fleet, hosts, app, globals, directory, stdout, stderr, interrupt: () => controller.abort(), redialed })
    } finally {
      await fleet.close()
    }
  })
}

/** Puts a release on a host: the file that `current` leads to. */
export function release(host: FakeHost, services: Readonly<Record<string, { hash: string; image?: string; scale?: number }>>): void {
  const text = Object.entries(services).map(([name, { hash, image = `${name}:1`, scale }]) =>
    [
      `  ${name}:`,
      `    image: "${image}"`,
      `    restart: always`,
      `    labels: { stagecraft.hash: "${hash}" }`,
      ...(scale === undefined ? [] : [`    scale: ${scale}`]),
    ].join('\n'),
  )
  host.files.put('bundles/b1/docker-compose.yml', `services:\n${text.join('\n')}\n`)
  host.files.link('current', 'bundles/b1')
}
