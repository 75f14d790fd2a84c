/**
 * What is deployed while it is killed: a routed service on two hosts behind a proxy, a service with a fixed name, a database with migrations, and
 * hooks. Everything that a step could leave behind is asked for, on the hosts, in the checkout and in the database.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import * as assert from 'uvu/assert'
import type { Lab, LabHost } from '../lab/lab.ts'
import { EdgeShop } from './edge-shop.ts'
import { query } from './postgres.ts'

interface Change {
  /** The image of the routed service too. */
  readonly image?: boolean
  readonly replicas?: number
  /** With a second routed service. */
  readonly side?: boolean
}

export class FaultFleet extends EdgeShop {
  readonly hosts: readonly LabHost[]
  /** What answers once the last change is deployed. */
  wanted = ''
  #baseline: readonly string[] = []
  readonly #database: string
  readonly #superuser: string
  #version = 0

  constructor(lab: Lab) {
    super(lab, { role: 'app', hosts: hostsOf(lab) })
    this.hosts = lab.hosts.slice(0, 2)
    this.#superuser = lab.postgres.superuserDsn
    this.#database = this.name.replaceAll('-', '_')
    this.edit('stagecraft.yml', (text) => `${text.replace('NODE_IMAGE:', `BASE_IMAGE: "${lab.images.busybox}", NODE_IMAGE:`)}${more(this)}`)
    this.edit('stagecraft.yml', (text) => text.replace('    variables:', '    env_file: .env.prod\n    variables:'))
    this.write('app.mjs', app)
    this.write('.dockerignore', '*\n!app.mjs\n!version\n!assets\n')
    execFileSync('mkdir', ['-p', this.path('migrations')])
    for (const file of readdirSync(this.path('migrations'))) rmSync(this.path(`migrations/${file}`))
    this.writeEnvironment({ DATABASE_URL: this.#dsn })
  }

  get #dsn(): string {
    return this.#superuser.replace(/\/postgres$/, `/${this.#database}`)
  }

  /** Deployed twice, so that whatever a release leaves for the next one is there. */
  static async open(lab: Lab): Promise<FaultFleet> {
    const fleet = new FaultFleet(lab)
    await query(fleet.#superuser, `create database ${fleet.#database}`)
    await fleet.settle({ image: true })
    await fleet.settle({})
    fleet.#baseline = fleet.remains()
    await fleet.assertConverged('in peace')
    return fleet
  }

  /** A change that most kinds of task have to do with: other containers of every service, and a migration. @param image also an image. */
  next({ image = false, replicas = 1, side = false }: Change = {}): void {
    this.#version += 1
    if (image) this.write('version', `image ${this.#version}\n`)
    const version = `v${this.#version}`
    this.wanted = version
    this.write('docker-compose.yml', compose(this.name, version) + (side ? sideService : ''))
    const manifest = this.read('stagecraft.yml')
      .replace(/replicas: \d/, `replicas: ${replicas}`)
      .replace(sideManifest(this.domain), '')
    this.write('stagecraft.yml', side ? manifest.replace(workerLine, workerLine + sideManifest(this.domain)) : manifest)
    for (const part of ['a', 'b']) {
      const table = `step_${this.#version}_${part}`
      this.write(`migrations/${1000 + this.#version}_${part}.sql`, `CREATE TABLE ${table} (id int);\nINSERT INTO ${table} VALUES (1);\n`)
    }
    this.commit(version)
  }

  /** Deploys another version in peace: with more replicas, or with a second routed service, both of which the next change takes away. */
  async settle(change: Change): Promise<void> {
    this.next(change)
    const { code, stdout, stderr } = await this.run(['deploy', '--env', 'prod'])
    assert.is(code, 0, stdout + stderr)
  }

  /** Other settings of the route, and nothing else. */
  reroute(): void {
    this.#version += 1
    const redirect = `redirect: [www-${this.#version}.${this.domain}]`
    this.edit('stagecraft.yml', (text) => text.replace(/tls: none(, redirect: \[[^\]]*\])?/, `tls: none, ${redirect}`))
    this.commit(redirect)
  }

  /** As if nothing had ever been deployed behind a proxy. */
  withoutProxies(): void {
    for (const index of this.hosts.keys())
      this.on(
        index,
        'docker ps -aq --filter label=com.docker.compose.project=stagecraft-edge | xargs -r docker rm -f; rm -rf /opt/stagecraft/edge',
      )
  }

  /** From now on the app exits at once on the second host. */
  breakSecond(): void {
    this.on(1, `mkdir -p /srv/${this.name} && touch /srv/${this.name}/broken`)
  }
  mendSecond(): void {
    this.on(1, `rm -f /srv/${this.name}/broken`)
  }

  on(host: number, line: string): string {
    const container = this.hosts[host]?.container ?? ''
    return execFileSync('docker', ['exec', container, 'sh', '-c', line], { encoding: 'utf8' })
  }

  /** What is on the hosts and in the checkout, with what differs from release to release taken out. */
  remains(): readonly string[] {
    const line = `cd /opt/stagecraft; find ${this.name} edge -path edge/data -prune -o -print
for kind in network volume; do docker $kind ls --format "$kind {{.Name}}" | grep ${this.name}; done
docker ps -aq | xargs -r docker inspect --format '{{.State.Status}} {{.Name}} {{.HostConfig.RestartPolicy.Name}} {{index .Config.Labels "com.docker.compose.project"}}' | grep '${this.name}'`
    const onHosts = this.hosts.flatMap((_, index) =>
      this.on(index, line)
        .split('\n')
        .filter((row) => row !== '')
        .map((row) => `node-${index + 1} ${row}`),
    )
    const here = execFileSync('sh', ['-c', 'find .stagecraft -name "*.tmp" -o -name "*.lock" -o -path "*/staging/*"'], {
      cwd: this.directory,
      encoding: 'utf8',
    })
    const rows = [...onHosts, ...here.split('\n').filter((row) => row !== '')].map((row) =>
      row.replace(/[0-9a-f]{16,}/g, '#').replace(/(-web|-worker)-\d+\b/, '$1-N'),
    )
    // Several bundles are kept, and what their containers mount.
    return [
      ...rows.filter((row) => !/\/(bundles|files)\//.test(row)),
      ...new Set(rows.filter((row) => /\/(bundles|files)\//.test(row))),
    ].sort()
  }

  /** As a person would, who knows of nothing. */
  async deployPlainly(about: string): Promise<void> {
    const { code, stdout, stderr } = await this.run(['deploy', '--env', 'prod'])
    assert.is(code, 0, `${about}: ${stdout}${stderr}`)
  }

  /** One more deploy has nothing to do, and nothing is left over. */
  async assertConverged(about: string): Promise<void> {
    const again = await this.run(['deploy', '--env', 'prod'])
    assert.is(again.code, 0, `${about}: ${again.stderr}`)
    assert.match(again.stdout + again.stderr, /nothing to do/, about)
    assert.equal(this.remains(), this.#baseline, `${about}: what is left`)
    const audit = await this.run(['releases', 'audit', '--env', 'prod', '--verify'])
    assert.is(audit.code, 0, `${about}: ${audit.stdout}${audit.stderr}`)
    const files = readdirSync(this.path('migrations')).sort()
    const rows = await query(this.#dsn, 'select id from stagecraft_migrations order by id')
    assert.equal(
      rows.map(({ id }) => id),
      files,
      `${about}: migrations`,
    )
    const locks = await query(
      this.#superuser,
      `select 1 from pg_locks l join pg_database d on d.oid = l.database where locktype = 'advisory' and datname = '${this.#database}'`,
    )
    assert.is(locks.length, 0, `${about}: a lock in the database`)
  }

  override remove(): void {
    super.remove()
    this.hosts.forEach((_, index) => {
      this.on(
        index,
        `docker ps -aq --filter label=com.docker.compose.project=${this.name}-prod | xargs -r docker rm -f >/dev/null; docker network ls -q --filter label=com.docker.compose.project=${this.name}-prod | xargs -r docker network rm; rm -rf /opt/stagecraft/${this.name} /srv/${this.name}`,
      )
    })
  }
}

function hostsOf({ hosts, identityFile }: Lab): string {
  const roles = ['gateway, app', 'app, db']
  const rows = hosts
    .slice(0, 2)
    .map(
      ({ address, port }, index) =>
        `{ name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${identityFile}", roles: [${roles[index]}] }`,
    )
  return `[${rows.join(', ')}]`
}

const workerLine = '  worker: { role: db }\n'

const more = ({ name }: { readonly name: string }) => `${workerLine}databases:
  main:
    connection_env: DATABASE_URL
    migrations: { engine: raw, path: migrations }
hooks:
  before_rollout: { command: [sh, -c, 'echo ${name}; sleep 0.3'], on: worker }
  after_rollout: 'true'
`

const health = (test: string) =>
  `    healthcheck: { test: [${test}], interval: 1s, timeout: 2s, retries: 5, start_period: 10s, start_interval: 200ms }\n`

const compose = (name: string, version: string) => `services:
  web:
    build: { context: ., args: { NODE_IMAGE: "\${NODE_IMAGE}" } }
    expose: [8080]
    environment: { VERSION: "${version}" }
    volumes: ["/srv/${name}:/probe:ro"]
    restart: unless-stopped
    stop_grace_period: 2s
${health('CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/healthz"')}  worker:
    image: "\${BASE_IMAGE}"
    container_name: ${name}-the-worker
    command: [sh, -c, 'trap "exit 0" TERM; while true; do sleep 0.2; done']
    environment: { VERSION: "${version}" }
    restart: unless-stopped
    stop_grace_period: 1s
${health('CMD, "true"')}`

const sideManifest = (domain: string) => `  side: { role: db, route: { domains: side.${domain}, tls: none, drain_seconds: 2 } }\n`
const sideService = `
  side:
    image: "\${BASE_IMAGE}"
    command: [httpd, -f, -p, "8080"]
    expose: [8080]
    restart: unless-stopped
    stop_grace_period: 1s
${health('CMD, "true"')}`

const app = `import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
if (existsSync('/probe/broken')) process.exit(3)
const server = createServer((request, response) => {
  if (request.url === '/slow') { response.write('slow '); setTimeout(() => response.end(process.env.VERSION), 400) }
  else response.end(process.env.VERSION)
})
process.on('SIGTERM', () => process.exit(0))
server.listen(8080)
`
