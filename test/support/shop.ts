/** The example shop, deployed for real: a copy of `docs/examples/shop` set up for the lab's hosts, registry and database image. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Lab, LabHost } from '../lab/lab.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const example = join(root, 'docs/examples/shop')
const bundle = join(root, 'bin/stagecraft.js')
const unbundled = join(root, 'dist/src/cli/bin.js')

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Runs `dist/`, which has fault points, instead of the published bundle. */
  readonly unbundled?: boolean
  readonly onSpawn?: (child: ChildProcess) => void
  readonly timeoutMs?: number
}

export interface ShopOptions {
  readonly user?: 'root' | 'deploy'
  /** Where the host is reached, when not directly: a delaying proxy. */
  readonly at?: { readonly address: string; readonly port: number }
  readonly name?: string
  /** Extra YAML below `environments.prod`, indented by four spaces. */
  readonly environment?: string
}

export class Shop {
  directory: string
  readonly name: string
  readonly lab: Lab
  readonly host: LabHost
  readonly password = `pw-${randomBytes(9).toString('base64url')}`
  readonly #home: string

  constructor(lab: Lab, options: ShopOptions = {}) {
    const host = lab.hosts[0]
    if (!host) throw new Error('the lab has no host')
    this.lab = lab
    this.host = host
    this.name = options.name ?? `shop-${randomBytes(3).toString('hex')}`
    this.directory = mkdtempSync(join(tmpdir(), `${this.name}-`))
    this.#home = mkdtempSync(join(tmpdir(), 'home-'))
    cpSync(example, this.directory, { recursive: true })
    const at = options.at ?? { address: host.address, port: host.port }
    this.write('stagecraft.yml', manifest(lab, this.name, at, options))
    // Any free port of the host, so that shops of several tests can be on it at once.
    this.edit('docker-compose.yml', (text) => text.replace('"4000-4001:4000"', '"4000"').replace('"8080-8081:8080"', '"8080"'))
    this.writeEnvironment({ POSTGRES_PASSWORD: this.password, DATABASE_URL: `postgres://shop:${this.password}@db:5432/shop` })
    copyFileSync(lab.knownHostsFile, join(this.directory, 'stagecraft.known_hosts'))
    this.git('init', '-q', '-b', 'main')
    this.commit('first')
  }

  path(file: string): string {
    return join(this.directory, file)
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8')
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text)
  }

  edit(file: string, change: (text: string) => string): void {
    const before = this.read(file)
    const after = change(before)
    if (after === before) throw new Error(`the edit changes nothing in ${file}`)
    this.write(file, after)
  }

  writeEnvironment(values: Readonly<Record<string, string>>): void {
    this.write(
      '.env.prod',
      Object.entries(values)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    )
    chmodSync(this.path('.env.prod'), 0o600)
  }

  git(...args: string[]): string {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid']
    return execFileSync('git', [...identity, ...args], { cwd: this.directory, encoding: 'utf8' }).trim()
  }

  commit(message: string): string {
    this.git('add', '-A')
    this.git('commit', '-q', '--allow-empty', '-m', message)
    return this.git('rev-parse', 'HEAD')
  }

  /** Moves the checkout elsewhere, as a person would. */
  move(): void {
    const target = mkdtempSync(join(tmpdir(), 'moved-'))
    rmSync(target, { recursive: true })
    renameSync(this.directory, target)
    this.directory = target
  }

  /** Runs stagecraft with a clean environment of its own. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'],
      HOME: this.#home,
      DOCKER_CONFIG: this.lab.registry.dockerConfigDir,
      NODE_EXTRA_CA_CERTS: this.lab.registry.caFile,
      NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'],
      NO_COLOR: '1',
      ...options.env,
    }
    return new Promise((resolve, reject) => {
      const entry = options.unbundled ? unbundled : bundle
      const child = spawn(process.execPath, [entry, ...args], {
        cwd: options.cwd ?? this.directory,
        env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 180_000)
      child.on('error', reject)
      child.on('close', (code, signal) => {
        clearTimeout(timer)
        resolve({ code, signal, stdout, stderr })
      })
      options.onSpawn?.(child)
    })
  }

  /** Deploys and returns the ids of the tasks that ran, in order. */
  async deploy(args: readonly string[] = [], options: RunOptions = {}): Promise<Finished & { readonly ran: readonly string[] }> {
    const finished = await this.run(['run', 'deploy', '--env', 'prod', '--format', 'json', ...args], options)
    return { ...finished, ran: ranTasks(finished.stdout) }
  }

  /** A program on the host, by the container's own shell-less exec: independent of the transport under test. */
  onHost(...argv: string[]): string {
    return execFileSync('docker', ['exec', this.host.container, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** A program on this machine. */
  onMachine(file: string, ...args: string[]): string {
    return execFileSync(file, args, { cwd: this.directory, encoding: 'utf8' })
  }

  /** The host's containers of this shop: what `docker ps` says, by service. */
  containers(): readonly HostContainer[] {
    const format = '{{.ID}}\t{{.Label "stagecraft.service"}}\t{{.State}}\t{{.Status}}\t{{.Names}}\t{{.Label "stagecraft.hash"}}'
    const text = this.onHost('docker', 'ps', '--all', '--no-trunc', '--filter', `label=stagecraft.project=${this.name}`, '--format', format)
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', service = '', state = '', status = '', name = '', hash = ''] = line.split('\t')
        return { id, service, state, status, name, hash }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  container(service: string): HostContainer {
    const found = this.containers().filter((container) => container.service === service && container.state === 'running')
    if (found.length !== 1 || !found[0])
      throw new Error(`${found.length} containers of ${service} run: ${JSON.stringify(this.containers())}`)
    return found[0]
  }

  startedAt(id: string): string {
    return this.onHost(
      'docker',
      'inspect',
      '--format',
      '{{.State.StartedAt}} {{.RestartCount}} {{.HostConfig.RestartPolicy.Name}}',
      id,
    ).trim()
  }

  /** What a service answers on the host, whichever port of its range it has. */
  answer(service: string, path: string): string {
    const { id } = this.container(service)
    const port = this.onHost('docker', 'inspect', '--format', '{{range .NetworkSettings.Ports}}{{range .}}{{.HostPort}} {{end}}{{end}}', id)
      .trim()
      .split(' ')[0]
    return this.onHost('curl', '--silent', '--show-error', '--fail', '--max-time', '5', `http://127.0.0.1:${port}${path}`).trim()
  }

  psql(sql: string): string {
    return this.onHost('docker', 'exec', this.container('db').id, 'psql', '-U', 'shop', '-d', 'shop', '-tAc', sql).trim()
  }

  get remoteDirectory(): string {
    return `/opt/stagecraft/${this.name}/prod`
  }

  /** Every file below the remote directory with its size, mode, link target and modification time. */
  remoteFiles(): string {
    return this.onHost('find', this.remoteDirectory, '-printf', '%P %y %m %s %l %T@\n').split('\n').sort().join('\n')
  }

  /** Ends and removes everything of this shop, here and on the host. */
  remove(): void {
    this.removeFrom([this.host])
  }

  /** The same, where it is on several hosts. */
  removeFrom(hosts: readonly LabHost[]): void {
    for (const host of hosts) {
      const words = (...argv: string[]) =>
        execFileSync('docker', ['exec', host.container, ...argv], { encoding: 'utf8' })
          .split('\n')
          .filter(Boolean)
      const filter = `label=com.docker.compose.project=${this.name}-prod`
      const ids = words('docker', 'ps', '--all', '--quiet', '--no-trunc', '--filter', `label=stagecraft.project=${this.name}`)
      if (ids.length > 0) words('docker', 'rm', '--force', '--volumes', ...ids)
      for (const kind of ['volume', 'network']) {
        const names = words('docker', kind, 'ls', '--quiet', '--filter', filter)
        if (names.length > 0) words('docker', kind, 'rm', ...names)
      }
      words('rm', '-rf', `/opt/stagecraft/${this.name}`)
    }
    rmSync(this.directory, { recursive: true, force: true })
    rmSync(this.#home, { recursive: true, force: true })
  }
}

export interface HostContainer {
  readonly id: string
  readonly service: string
  readonly state: string
  readonly status: string
  readonly name: string
  readonly hash: string
}

/** Tasks that started, from a run's NDJSON events. */
export function ranTasks(events: string): readonly string[] {
  return events
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly type?: string; readonly task?: string })
    .flatMap((event) => (event.type === 'started' && event.task !== undefined ? [event.task] : []))
}

function manifest(lab: Lab, name: string, at: { readonly address: string; readonly port: number }, options: ShopOptions): string {
  return `project:
  name: ${name}
  registry: ${lab.registry.address}/e2e/${name}
environments:
  prod:
    hosts:
      - { name: node-1, address: "${at.address}", port: ${at.port}, user: ${options.user ?? 'deploy'}, identity_file: "${lab.identityFile}" }
    env_file: .env.prod
    variables:
      BASE_IMAGE: ${lab.images.busybox}
      POSTGRES_IMAGE: ${lab.images.postgres}
${options.environment ?? ''}databases:
  main:
    connection_env: DATABASE_URL
    service: db
    migrations: { engine: raw, path: migrations }
services:
  worker: { rollout: { min_ready_seconds: 1 } }
`
}
