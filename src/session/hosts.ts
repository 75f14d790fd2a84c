/** The hosts of one run: each connected on first use, once, and closed together. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { homedir, hostname } from 'node:os'
import { routeKey } from '../../tasks/edge/layout.ts'
import type { Host } from '../../tasks/ports.ts'
import type { App, DeployedEdge, Deployment } from '../contracts.ts'
import type { AppendOnly } from '../hosts/append-only.ts'
import type { EdgeScope } from '../hosts/edge-state.ts'
import { localUser } from '../hosts/local-user.ts'
import type { HostOperator } from '../hosts/operator.ts'
import { createRemoteHost, type RemoteHost } from '../hosts/remote-host.ts'
import type { LockableHost } from './environment-lock.ts'

export interface HostPool {
  host(name: string): Host
  lockable(name: string): LockableHost
  /** What only operations ask. */
  operator(name: string): HostOperator
  /** Files of the host that only grow. */
  appendOnly(name: string): AppendOnly
  /** The environment's lock on a host, for whoever wants to know who has it. */
  lock(name: string): RemoteHost['lock']
  /** Begins to connect to a host that will be asked soon. */
  lookAhead(name: string): void
  /** What was spent on connections, by host; for benchmarks and `--verbose`. */
  stats(): Readonly<Record<string, ReturnType<RemoteHost['stats']>>>
  close(): Promise<void>
}

export function hostPool(deployment: Deployment, projectDirectory: string, app: App): HostPool {
  const open = new Map<string, RemoteHost>()
  const owner = randomUUID()
  // Everything that waits on a host listens for the end of the run: of many hosts that is no leak.
  setMaxListeners(0, app.signal)
  const description = describeRun(app)
  const edge = deployment.edge && edgeScope(deployment, deployment.edge)

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
      edgeDirectory: deployment.edgeDirectory,
      ...(edge && { edge }),
      description,
    })
    open.set(name, made)
    return made
  }

  return {
    host: remote,
    lockable: (name) => ({
      name,
      lock() {
        const taken = remote(name).lock.acquire({ owner, description })
        remote(name).prepare()
        return taken
      },
      changed() {
        remote(name).changed()
        // The tasks that wait for the lock are going to look, and the history is read meanwhile.
        remote(name).lookAhead()
      },
    }),
    operator: (name) => remote(name).operator,
    appendOnly: (name) => remote(name).appendOnly,
    lock: (name) => remote(name).lock,
    lookAhead: (name) => remote(name).lookAhead(),
    stats: () => Object.fromEntries([...open].map(([name, host]) => [name, host.stats()])),
    async close() {
      await Promise.all([...open.values()].map((host) => host.close()))
    },
  }
}

/** Who holds a lock, for people. */
export function describeRun(app: Pick<App, 'env'>): string {
  return `${localUser(app.env)}@${hostname()} pid ${process.pid}`
}

function edgeScope({ project, environment, edgeDirectory, services }: Deployment, { provider }: DeployedEdge): EdgeScope {
  const routed = services.filter(({ route }) => route !== undefined)
  const keys = routed.map(({ name }) => routeKey(project, environment, name))
  return { directory: edgeDirectory, provider, keys, prefix: routeKey(project, environment, '') }
}
