/** A small project on the lab's hosts: services of one image that is there already, nothing to build. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab } from '../lab/lab.ts'
import type { Finished } from './shop.ts'

const program = join(dirname(fileURLToPath(import.meta.url)), '../../../bin/stagecraft.js')

export interface BusyboxRun {
  readonly stdin?: string
  readonly onSpawn?: (child: ChildProcess) => void
  readonly env?: Readonly<Record<string, string>>
  /** In the place of Node and our program: what runs them. */
  readonly under?: readonly string[]
  /** Another checkout: see `checkout`. Default: the project's own folder. */
  readonly cwd?: string
  readonly timeoutMs?: number
}

export class BusyboxProject {
  readonly name = `act-${randomBytes(3).toString('hex')}`
  readonly directory = mkdtempSync(join(tmpdir(), 'act-'))
  readonly #home = join(this.directory, '.home')
  readonly #lab: Lab

  constructor(lab: Lab) {
    this.#lab = lab
    mkdirSync(this.#home)
    copyFileSync(lab.knownHostsFile, join(this.directory, 'stagecraft.known_hosts'))
  }

  get image(): string {
    return this.#lab.images.busybox
  }

  /** `services` is the body of the Compose file's `services`, two spaces deep; `overrides` of the manifest's. */
  write(services: string, overrides = '{}', environments: readonly string[] = ['prod']): void {
    writeFileSync(join(this.directory, 'docker-compose.yml'), `services:\n${services}\n`)
    const hosts = this.#lab.hosts
      .slice(0, 2)
      .map(
        ({ address, port }, index) =>
          `{ name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${this.#lab.identityFile}", roles: [app] }`,
      )
    const blocks = environments.map((environment) => `  ${environment}:\n    hosts:\n${hosts.map((host) => `      - ${host}\n`).join('')}`)
    writeFileSync(
      join(this.directory, 'stagecraft.yml'),
      `project: { name: ${this.name}, registry: ${this.#lab.registry.address}/e2e/${this.name} }\nenvironments:\n${blocks.join('')}services: ${overrides}\n`,
    )
  }

  run(
    args: readonly string[],
    { stdin, onSpawn, env = {}, under = [], cwd = this.directory, timeoutMs = 120_000 }: BusyboxRun = {},
  ): Promise<Finished> {
    const [file = process.execPath, ...words] = [...under, process.execPath, program, ...args]
    return new Promise((resolve, reject) => {
      const child = spawn(file, words, {
        cwd,
        env: {
          PATH: process.env['PATH'],
          HOME: this.#home,
          NO_COLOR: '1',
          DOCKER_CONFIG: this.#lab.registry.dockerConfigDir,
          NODE_EXTRA_CA_CERTS: this.#lab.registry.caFile,
          NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'],
          ...env,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
      child.on('error', reject)
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ code, signal, stdout, stderr })
      })
      // The program may end without reading.
      child.stdin.on('error', () => undefined)
      if (stdin !== undefined) child.stdin.end(stdin)
      onSpawn?.(child)
    })
  }

  /** A copy of what a person keeps in git, as a colleague or a CI job has it: without any local state. */
  checkout(): string {
    const copy = join(this.directory, `.checkout-${randomBytes(3).toString('hex')}`)
    mkdirSync(copy)
    for (const file of ['stagecraft.yml', 'docker-compose.yml', 'stagecraft.known_hosts'])
      copyFileSync(join(this.directory, file), join(copy, file))
    return copy
  }

  /** A program on a host, by the lab's own way in. */
  onHost(index: number, ...argv: string[]): string {
    const host = this.#lab.hosts[index]
    if (!host) throw new Error(`the lab has no host ${index}`)
    return execFileSync('docker', ['exec', host.container, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }

  /** Asks, on a host and until it is over, all addresses in turn: a round in which none answers is counted. */
  async countFailures(index: number, isOver: () => boolean, addresses: readonly string[]): Promise<{ asked: number; unanswered: number }> {
    let asked = 0
    let unanswered = 0
    while (!isOver()) {
      const answers = await Promise.all(addresses.map((address) => this.#answers(index, address)))
      asked += 1
      if (!answers.includes(true)) unanswered += 1
    }
    return { asked, unanswered }
  }

  #answers(index: number, address: string): Promise<boolean> {
    const container = this.#lab.hosts[index]?.container ?? ''
    const argv = ['exec', container, 'curl', '-sf', '--max-time', '2', '-o', '/dev/null', `http://${address}/`]
    return new Promise((resolve) => spawn('docker', argv, { stdio: 'ignore' }).on('close', (code) => resolve(code === 0)))
  }

  remove(): void {
    for (const index of [0, 1]) {
      const ids = this.onHost(index, 'docker', 'ps', '-aq', '--filter', `name=^${this.name}-`).split('\n').filter(Boolean)
      if (ids.length > 0) this.onHost(index, 'docker', 'rm', '--force', '--volumes', ...ids)
      const networks = this.onHost(index, 'docker', 'network', 'ls', '-q', '--filter', `name=^${this.name}-`).split('\n').filter(Boolean)
      if (networks.length > 0) this.onHost(index, 'docker', 'network', 'rm', ...networks)
      this.onHost(index, 'rm', '-rf', `/opt/stagecraft/${this.name}`)
    }
    rmSync(this.directory, { recursive: true, force: true })
  }
}
