/** A machine we deploy to, over SSH. */
import type { Duplex } from 'node:stream'
import type { EdgeState, HostEdge } from './edge.ts'
import type { Container, Engine } from './engine.ts'
import type { Swarm, SwarmState } from './swarm.ts'
import type { HostImages } from './transfer.ts'

/** A program and its arguments; never a shell string. */
export interface Command {
  readonly argv: readonly [string, ...string[]]
  readonly cwd?: string
  /** Added to the environment the command inherits. On a host, secrets do not travel this way. */
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly timeoutMs?: number
}

export interface Exit {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One machine we deploy to, in the scope of one project and environment. One SSH connection carries everything. */
export interface Host {
  readonly name: string
  /** Absolute path on the host of this project's and environment's files: `/opt/stagecraft/<project>/<env>`. */
  readonly directory: string
  /** What the host looks like now: one look, shared by all tasks of a run until `changed()` is called. */
  observe(): Promise<HostState>
  /** The host was written to: the next `observe` looks again. */
  changed(): void
  /** Runs a program on the host. A non-zero exit is a value, not an exception. */
  run(command: Command, onLine?: (line: string) => void): Promise<Exit>
  /** A TCP connection from the host to an address it can reach, inside the SSH connection. */
  connect(address: string, port: number): Promise<Duplex>
  readonly engine: Engine
  readonly images: HostImages
  readonly files: HostFiles
  readonly edge: HostEdge
  /** The swarm that the host is a manager of. */
  readonly swarm: Swarm
}

export interface HostState {
  /** Every container, running or not, labelled with this project and environment; sorted by name. */
  readonly containers: readonly Container[]
  /** Bundle hash that `current` points to, when that bundle is there. */
  readonly bundle?: string
  /** `<release id> <fingerprint>` of the last finalized release. */
  readonly release?: string
  /** The lock's holder, alive or not. */
  readonly lock?: LockHolder
  /** Looked at when the environment has routed services. */
  readonly edge?: EdgeState
  /** Looked at when the environment is a swarm's. */
  readonly swarm?: SwarmState
}

/** What a host ran before a run, as far as it can be brought back. */
export interface HostPicture {
  /** Hash of the bundle that was current. */
  readonly bundle?: string
  /** Those that ran. */
  readonly containers: readonly Pick<Container, 'id' | 'name' | 'service' | 'hash'>[]
  /** Services that had containers, none of which ran. */
  readonly down: readonly string[]
}

export interface LockHolder {
  /** Unique per run. */
  readonly owner: string
  /** Grows by one with every take-over. */
  readonly fence: number
  /** For people: `anna@laptop pid 4711`. */
  readonly description: string
  /** ISO 8601, by the holder's clock: for people only. */
  readonly startedAt?: string
}

/** Files below `Host.directory` (paths are relative to it), over SFTP. */
export interface HostFiles {
  /** Creates a directory and its parents; existing is fine. */
  makeDirectory(path: string, mode?: number): Promise<void>
  /** Whole or not at all: temp file, then rename. */
  write(path: string, bytes: Uint8Array, mode: number): Promise<void>
  read(path: string): Promise<Uint8Array | undefined>
  exists(path: string): Promise<boolean>
  /** Names in a directory, sorted; empty when absent. */
  list(path: string): Promise<readonly string[]>
  /** Atomic; `to` must not exist or be a file. */
  rename(from: string, to: string): Promise<void>
  /** Makes symbolic link `path` point to `target`, atomically, replacing a link that is there. */
  point(path: string, target: string): Promise<void>
  /** Removes a file, link or whole directory; absent is fine. */
  remove(path: string): Promise<void>
}
