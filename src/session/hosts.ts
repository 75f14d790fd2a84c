/** The hosts of one run: each connected on first use, once, and closed together. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { homedir, hostname } from 'node:os'
import { routeKey } from '../../tasks/edge/layout.ts'
import type { Host } from '../../tasks/ports.ts'
import type { App, Deployment } from '../contracts.ts'
import type { AppendOnly } from '../hosts/append-only.ts'
import type { EdgeScope } from '../hosts/edge-state.ts'
import type { JournalFile } from '../hosts/journal-file.ts'
import { removeLeftovers } from '../hosts/leftovers.ts'
import { localUser } from '../hosts/local-user.ts'
import type { HostOperator } from '../hosts/operator.ts'
import { createRemoteHost, type RemoteHost } from '../hosts/remote-host.ts'
import { Jumps } from '../hosts/ssh-jumps.ts'
import { journalFile } from '../journal/line.ts'
import type { LockableHost } from './environment-lock.ts'

/** Waits around what takes a lock: `lock-wait.ts`. */
export type LockWaiter = <T>(take: () => Promise<T>) => Promise<T>

export interface HostPool {
  host(name: string): Host
  /** @param wait asked to wait while somebody else has it. */
  lockable(name: string, wait?: LockWaiter): LockableHost
  /** What only operations ask. */
  operator(name: string): HostOperator
  /** Files of the host that only grow. */
  appendOnly(name: string): AppendOnly
  /** Where what is done without the environment's lock is told. */
  acts(name: string): RemoteHost['acts']
  /** What runs under the environment's lock tell of themselves. */
  journal(name: string): JournalFile
  /** The environment's lock on a host, for whoever wants to know who has it. */
  lock(name: string): RemoteHost['lock']
  /** Begins to connect to a host that will be asked soon. */
  lookAhead(name: string): void
  /** What was spent on connections, by host; for benchmarks and `--verbose`. */
  stats(): Readonly<Record<string, ReturnType<RemoteHost['stats']>>>
  close(): Promise<void>
}

/** Of a lock that nobody had. */
const firstFence = 1

export function hostPool(deployment: Deployment, projectDirectory: string, app: App): HostPool {
  const open = new Map<string, RemoteHost>()
  const jumps = new Jumps({ signal: app.signal })
  const owner = randomUUID()
  // Everything that waits on a host listens for the end of the run: of many hosts that is no leak.
  setMaxListeners(0, app.signal)
  const description = describeRun(app)
  const edge = edgeScope(deployment)

  function remote(name: string): RemoteHost {
    const known = open.get(name)
    if (known) return known
    const address = deployment.hosts.find((host) => host.name === name)
    if (!address) throw new Error(`no host is called ${name}`)
    const made = createRemoteHost({
      address,
      project: deployment.project,
      environment: deployment.environment,
      directory: deployment.directory,
      knownHosts: deployment.knownHosts,
      projectDirectory,
      homeDirectory: app.env['HOME'] ?? homedir(),
      env: app.env,
      signal: app.signal,
      jumps,
      edgeDirectory: deployment.edgeDirectory,
      edge,
      swarm: deployment.swarm !== undefined,
      description,
    })
    open.set(name, made)
    return made
  }

  async function takeLock(host: RemoteHost) {
    const held = await host.lock.acquire({ owner, description })
    if (held.fence === firstFence) return held
    // It was taken over: whoever had it was cut off somewhere.
    try {
      await removeLeftovers(host, edge)
    } catch (error) {
      await held.release().catch(() => {})
      throw error
    }
    return held
  }

  return {
    host: remote,
    lockable: (name, wait = (take) => take()) => ({
      name,
      lock() {
        return wait(() => {
          const taken = takeLock(remote(name))
          remote(name).prepare()
          return taken
        })
      },
      changed() {
        remote(name).changed()
        // The tasks that wait for the lock are going to look, and the history is read meanwhile.
        remote(name).lookAhead()
      },
    }),
    operator: (name) => remote(name).operator,
    appendOnly: (name) => remote(name).appendOnly,
    acts: (name) => remote(name).acts,
    journal: (name) => remote(name).journal(journalFile),
    lock: (name) => remote(name).lock,
    lookAhead: (name) => remote(name).lookAhead(),
    stats: () => Object.fromEntries([...open].map(([name, host]) => [name, host.stats()])),
    async close() {
      await Promise.all([...open.values()].map((host) => host.close()))
      await jumps.close()
    },
  }
}

/** Who holds a lock, for people. */
export function describeRun(app: Pick<App, 'env'>): string {
  return `${localUser(app.env)}@${hostname()} pid ${process.pid}`
}

/** An environment without routes may have had some. */
function edgeScope({ project, environment, edge, edgeDirectory, services }: Deployment): EdgeScope {
  const routed = services.filter(({ route }) => route !== undefined)
  const keys = routed.map(({ name }) => routeKey(project, environment, name))
  return { directory: edgeDirectory, provider: edge?.provider ?? 'caddy', keys, prefix: routeKey(project, environment, '') }
}
