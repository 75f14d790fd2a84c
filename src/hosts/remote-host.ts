/** A machine we deploy to, over one SSH connection: `Host` for real. */
import { posix } from 'node:path'
import type { EdgeState } from '../../tasks/ports/edge.ts'
import type { Host, HostState } from '../../tasks/ports.ts'
import type { HostAddress } from '../contracts.ts'
import { type AppendOnly, createAppendOnly } from './append-only.ts'
import { createHostEdge } from './edge.ts'
import { type EdgeScope, readEdgeFiles } from './edge-state.ts'
import { createEngine } from './engine.ts'
import { createHostImages } from './engine-images.ts'
import { createJournalFile, type JournalFile } from './journal-file.ts'
import { EnvironmentLock } from './lock.ts'
import { parseLock } from './lock-holder.ts'
import { createOperator, type HostOperator } from './operator.ts'
import { absentIs, linkTarget } from './sftp-absent.ts'
import { createSftpFiles } from './sftp-files.ts'
import { type ConnectionSources, resolveConnection } from './ssh-config.ts'
import { SshConnection } from './ssh-connection.ts'
import type { ConnectionStats } from './ssh-connection-options.ts'
import { EngineAgent } from './ssh-engine-agent.ts'
import { runOverSsh } from './ssh-exec.ts'
import { Jumps } from './ssh-jumps.ts'
import type { Sftp } from './ssh-sftp.ts'
import { SftpSession } from './ssh-sftp-session.ts'
import { createSwarm } from './swarm.ts'

export interface RemoteHostOptions extends ConnectionSources {
  readonly address: HostAddress
  readonly project: string
  readonly environment: string
  /** Absolute, on the host. */
  readonly directory: string
  /** The run's: see `SshConnectionOptions`. */
  readonly signal: AbortSignal
  readonly connectTimeoutMs?: number
  readonly keepaliveIntervalMs?: number
  readonly lockLeaseMs?: number
  /** Shared by hosts that are reached through the same machines; whoever made it closes it. */
  readonly jumps?: Jumps
  /** Looked at with everything else. */
  readonly edge?: EdgeScope
  /** Its swarm is looked at with everything else. */
  readonly swarm?: boolean
  /** Absolute, on the host: the edge's folder, routed or not. Default: beside the project's. */
  readonly edgeDirectory?: string
  /** Who this run is, for people who meet its locks. */
  readonly description?: string
}

export interface RemoteHost extends Host {
  readonly operator: HostOperator
  readonly lock: Pick<EnvironmentLock, 'acquire' | 'look'>
  readonly appendOnly: AppendOnly
  /** What is done without the environment's lock is told in a folder of its own, under a lock of its own. */
  readonly acts: { readonly lock: Pick<EnvironmentLock, 'acquire'>; readonly appendOnly: AppendOnly }
  /** In the environment's folder. */
  journal(name: string): JournalFile
  /** Loads what it takes to change something there. */
  prepare(): void
  /** Connects and looks at once, for an `observe` that is soon to come; what goes wrong is for that to tell. */
  lookAhead(): void
  /** The look that `observe` answers with now, if there is one. Asks nothing. */
  seen(): Promise<HostState> | undefined
  stats(): ConnectionStats
  /** Ends the connection. Nothing may be asked of the host afterwards. */
  close(): Promise<void>
}

const lookTimeoutMs = 30_000
/** How old a look ahead may be when it is first needed: after a build of some minutes, the host may be another. */
const lookAheadMs = 5_000
const tunnelTimeoutMs = 15_000

/** Does nothing yet: the connection is made on first use. */
export function createRemoteHost(options: RemoteHostOptions): RemoteHost {
  const { address, directory } = options
  // A host by itself knows its own way.
  const jumps = options.jumps ?? new Jumps(options)
  const connection = new SshConnection({ ...options, name: address.name, settings: () => resolveConnection(address, options), jumps })
  const session = new SftpSession(connection, directory)
  const agent = new EngineAgent(connection)
  const engine = createEngine(connection, agent, options)
  const acts = posix.join(directory, 'acts')
  const swarm = createSwarm(connection, agent, options)
  let look: Promise<HostState> | undefined
  let lookedAheadAt: number | undefined

  const observe = async (): Promise<HostState> => {
    const [containers, links, edge, services] = await Promise.all([
      engine.list(),
      session.perform(`read ${directory}`, lookTimeoutMs, (sftp) => readLinks(sftp, directory)),
      options.edge && lookAtEdge(options.edge),
      options.swarm ? swarm.state() : undefined,
    ])
    return { containers, ...links, ...(edge && { edge }), ...(services && { swarm: services }) }
  }

  const lookAtEdge = async (scope: EdgeScope): Promise<EdgeState | undefined> => {
    const reading = session.perform(`read ${scope.directory}`, lookTimeoutMs, (sftp) => readEdgeFiles(sftp, scope))
    // Where nothing is routed, only what was left of routes is of interest.
    if (scope.keys.length === 0 && Object.keys((await reading).routes).length === 0) return undefined
    const [proxy, files] = await Promise.all([engine.proxy(), reading])
    return { ...files, ...(proxy && { proxy }) }
  }

  return {
    name: address.name,
    directory,
    engine,
    images: createHostImages(connection, agent),
    swarm,
    operator: createOperator(connection, agent),
    files: createSftpFiles(session, directory),
    appendOnly: createAppendOnly(session, directory),
    acts: {
      lock: new EnvironmentLock(session, { host: address.name, directory: acts }),
      appendOnly: createAppendOnly(session, acts),
    },
    journal: (name) => createJournalFile(session, directory, name),
    edge: createHostEdge(session, {
      host: address.name,
      directory: options.edgeDirectory ?? posix.join(directory, '../../edge'),
      description: options.description ?? 'another run',
      ...(options.lockLeaseMs === undefined ? {} : { leaseMs: options.lockLeaseMs }),
    }),
    lock: new EnvironmentLock(session, {
      host: address.name,
      directory,
      ...(options.lockLeaseMs === undefined ? {} : { leaseMs: options.lockLeaseMs }),
    }),
    prepare: () => engine.prepare(),
    lookAhead() {
      if (look !== undefined) return
      lookedAheadAt = performance.now()
      look = observe()
      look.catch(() => undefined)
    },
    observe() {
      if (lookedAheadAt !== undefined && performance.now() - lookedAheadAt > lookAheadMs) look = undefined
      lookedAheadAt = undefined
      look ??= observe()
      const current = look
      // A look that failed is not remembered.
      current.catch(() => {
        if (look === current) look = undefined
      })
      return current
    },
    changed() {
      look = undefined
    },
    seen: () => look,
    run: (command, onLine) => runOverSsh(connection, command, onLine),
    connect: (host, port) =>
      connection.perform(`to reach ${host}:${port}`, tunnelTimeoutMs, (signal) => connection.tcp(host, port, signal)),
    stats: () => connection.stats,
    async close() {
      agent.destroy()
      await connection.close()
      if (options.jumps === undefined) await jumps.close()
    },
  }
}

const bundlePrefix = 'bundles/'

/** All requests go out together. Whatever is not there is just not part of the answer. */
async function readLinks(sftp: Sftp, directory: string): Promise<Omit<HostState, 'containers'>> {
  const [current, release, lock, isComplete] = await Promise.all([
    linkTarget(sftp, posix.join(directory, 'current')),
    linkTarget(sftp, posix.join(directory, 'release')),
    linkTarget(sftp, posix.join(directory, 'lock')),
    sftp.stat(posix.join(directory, 'current', 'docker-compose.yml')).then(() => true, absentIs(false)),
  ])
  const bundle = isComplete && current?.startsWith(bundlePrefix) ? current.slice(bundlePrefix.length) : undefined
  return { ...(bundle ? { bundle } : {}), ...(release ? { release } : {}), ...(lock ? { lock: holderOf(lock) } : {}) }
}

function holderOf(target: string): NonNullable<HostState['lock']> {
  const { owner, fence, description, startedAt } = parseLock(target)
  return { owner, fence, description, ...(startedAt === '' ? {} : { startedAt }) }
}
