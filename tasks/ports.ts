/**
 * What a task kind may ask of the world. Implementations live in `src/hosts`, `src/databases` and `src/releases`;
 * tests hand over fakes. Every method has a deadline and throws `TaskFailure` naming the host and the remedy.
 */
import type { Duplex } from 'node:stream'
import type { ActionResult, Digest } from '../graph/types.ts'
import type { Restored } from './kind.ts'

/** Where a run takes place. */
export interface Scope {
  readonly project: string
  readonly environment: string
  /** Recorded in releases; never part of what a container is made from. */
  readonly version: string
}

export interface Ports {
  host(name: string): Host
  readonly builder: Builder
  readonly registry: Registry
  readonly secrets: Secrets
  readonly content: Content
  readonly programs: Programs
  readonly probes: Probes
  readonly outputs: Outputs
  readonly environment: Environment
  readonly release: ReleasePort
  /** Opens the database called `name` in the manifest, through the host's SSH connection when the manifest says so. */
  database(name: string): Promise<Database>
  /** Absolute path of the folder the manifest is in. */
  readonly projectDirectory: string
}

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

// --- this machine ------------------------------------------------------------------------------------------------

export interface ProgramRequest {
  readonly argv: readonly [string, ...string[]]
  /** Absolute. */
  readonly cwd: string
  /** All of its environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** How a program ended. */
export interface ProgramEnd {
  /** Of one that a signal ended 128 + its number, as in a shell. */
  readonly code: number
  /** The signal that ended it: `SIGKILL`. */
  readonly signal?: string
}

/** A program that was started and not waited for. */
export interface RunningProgram {
  readonly pid: number
  /** Settles when it has ended by itself or was ended, and nothing of it is left; never rejects. */
  readonly ended: Promise<ProgramEnd>
  /** SIGTERM to its whole tree, grace, SIGKILL; resolves when nothing of it is left. */
  stop(): Promise<void>
}

/** Programs of this machine, each the leader of a process group: whatever ends a program ends all it started. */
export interface Programs {
  /** Runs to the end; a code other than 0 is a value. @throws TaskFailure when it was cut off, timed out or could not be started. */
  run(request: ProgramRequest, onLine: (line: string) => void, signal: AbortSignal): Promise<ProgramEnd>
  /** It runs until it is stopped; a time limit does not count. @throws TaskFailure when it could not be started. */
  start(request: ProgramRequest, onLine: (line: string) => void): Promise<RunningProgram>
}

/** One look at whether something answers: undefined when it does, else what was found, in words. Never rejects. */
export interface Probes {
  /** A GET that is answered with a status below 400. Redirections are not followed. */
  http(url: string, signal: AbortSignal): Promise<string | undefined>
  /** `host:port` accepts a connection. */
  tcp(address: string, signal: AbortSignal): Promise<string | undefined>
}

/** Files that tasks leave in the project folder. Patterns are project-relative globs; those that begin with `!` take away. */
export interface Outputs {
  /** Makes folders that literal patterns lie in, so that a command need not. */
  prepare(patterns: readonly string[]): Promise<void>
  /**
   * Puts everything the patterns match into the content store. `cwd` is the project-relative folder the task ran in, for messages.
   * @throws TaskFailure `missing-output` for a pattern that matches nothing.
   */
  capture(patterns: readonly string[], cwd?: string): Promise<Pick<ActionResult, 'files' | 'links' | 'folders'>>
  /** Is what the patterns match exactly the result's? Looks only. */
  isIntact(patterns: readonly string[], result: ActionResult): Promise<boolean>
  /** Makes it so, all or nothing. */
  restore(patterns: readonly string[], result: ActionResult): Promise<Restored>
}

/** The environment Stagecraft was started in. */
export interface Environment {
  /** Those that are set and match a name or a glob. */
  matching(patterns: readonly string[]): Readonly<Record<string, string>>
}

// --- hosts -------------------------------------------------------------------------------------------------------

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
  readonly files: HostFiles
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

export interface Container {
  readonly id: string
  readonly name: string
  /** From labels we put there: `stagecraft.service`, `stagecraft.hash`. */
  readonly service: string
  readonly hash: string
  readonly image: string
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy'
  readonly ports: readonly { readonly container: number; readonly host: number }[]
  /** Address on the project's network, when running. */
  readonly address?: string
}

export interface ContainerDetail {
  readonly state: Container['state']
  readonly health: Container['health']
  readonly exitCode: number
  readonly oomKilled: boolean
  readonly restartCount: number
  readonly restartPolicy: string
  /** Mount points backed by a volume nobody named: a new container would not see their data. */
  readonly anonymousVolumes: readonly string[]
  /** Engine's own error at start (missing binary, port taken), else empty. */
  readonly error: string
  /** Output of the last health probes, oldest first. */
  readonly healthLog: readonly string[]
  /** ISO 8601, by the host's clock; absent for one that never was. */
  readonly startedAt?: string
  readonly finishedAt?: string
}

/** Which part of a container's output is wanted. */
export interface OutputRequest {
  /** Only the last lines. Undefined: all. */
  readonly tail?: number
  /** Seconds since 1970, `1767312000.000000001`; lines of that very moment are included. */
  readonly since?: string
  /** Go on until the container ends or nobody listens any more. */
  readonly follow: boolean
}

/** A line of a container's output, as the Engine recorded it. */
export interface OutputLine {
  /** RFC 3339 with nine digits of a second, UTC: sorts as text. */
  readonly at: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

export interface EngineEvent {
  readonly action: string // 'start' | 'die' | 'oom' | 'health_status: healthy' | …
  readonly container: string
  readonly exitCode?: number
}

/** The host's Docker Engine, by its API (https://docs.docker.com/reference/api/engine/). */
export interface Engine {
  start(container: string): Promise<void>
  stop(container: string, graceSeconds: number): Promise<void>
  /** Removes the container, never a volume. Absent is fine. */
  remove(container: string): Promise<void>
  rename(container: string, name: string): Promise<void>
  setRestartPolicy(container: string, policy: RestartPolicy): Promise<void>
  inspect(container: string): Promise<ContainerDetail>
  /** Last lines of stdout and stderr. */
  logs(container: string, lines: number): Promise<readonly string[]>
  /**
   * Output as it is read, oldest first, some lines at a time; nothing is read ahead of who takes them. Resolves when the Engine has answered.
   * Followed, it ends with the container, or when the signal fires.
   */
  output(container: string, request: OutputRequest, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>>
  /** Subscribes to container events of the project and environment; resolves once the subscription is live. */
  events(onEvent: (event: EngineEvent) => void): Promise<{ close(): void }>
  hasImage(reference: string): Promise<boolean>
  /** Pulls by digest with credentials in a header; nothing is stored on the host. */
  pull(reference: string, credentials: RegistryCredentials | undefined, onLine?: (line: string) => void): Promise<void>
}
export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  readonly maximumRetryCount?: number
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

// --- images ------------------------------------------------------------------------------------------------------

export interface BuildRequest {
  /** Absolute paths. */
  readonly context: string
  readonly dockerfile: string
  readonly target?: string
  readonly args: Readonly<Record<string, string>>
  readonly platforms: readonly string[]
  /** Secret id → environment variable that carries it to the builder, or file. Values never on argv. */
  readonly secrets: readonly { readonly id: string; readonly value: string }[]
  readonly ssh: readonly string[]
  readonly additionalContexts: Readonly<Record<string, string>>
  readonly cacheFrom: readonly string[]
  /** Files and folders of the context that must not reach the image, relative to it. */
  readonly withheld: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** At least one of them stands for this content and no other. */
  readonly tags: readonly string[]
  readonly noCache: boolean
}

/** Docker buildx and the engine on this machine. */
export interface Builder {
  /** Builds and loads into this machine's engine. @returns the image id (`sha256:…`, the config digest). */
  build(request: BuildRequest, onLine: (line: string) => void, signal: AbortSignal): Promise<string>
  /** Image id of a reference or id held by this machine's engine. */
  imageId(reference: string): Promise<string | undefined>
  tag(imageId: string, reference: string): Promise<void>
  /** @returns the manifest digest the registry gave. */
  push(reference: string, onLine: (line: string) => void, signal: AbortSignal): Promise<string>
}

export interface RegistryCredentials {
  readonly username: string
  readonly password: string
  readonly serveraddress: string
  /** In place of name and password, which are empty then. Spelled as in the Engine API's `X-Registry-Auth`. */
  readonly identitytoken?: string
}

/** An OCI distribution registry (https://github.com/opencontainers/distribution-spec). */
export interface Registry {
  /** The manifest behind a tag or digest, or undefined when the registry does not have it. Answers are kept for the run. */
  manifest(reference: string): Promise<{ readonly digest: string; readonly imageId?: string } | undefined>
  /** Drops what is remembered of a reference, after a push. */
  forget(reference: string): void
  /** What the user's Docker configuration holds for this reference's registry. */
  credentials(reference: string): Promise<RegistryCredentials | undefined>
}

// --- the rest ----------------------------------------------------------------------------------------------------

/** Values that must not be seen. Everything handed out here is redacted from every output stream. */
export interface Secrets {
  readonly names: readonly string[]
  /** @throws TaskFailure when it is not set. */
  get(name: string): string
  /** HMAC-SHA256 under the project's key, hex; `absent` when not set. */
  digest(name: string): string
}

/** The content store, as kinds see it. */
export interface Content {
  write(bytes: Uint8Array): Promise<Digest>
  /** @throws TaskFailure when a blob an earlier task produced is gone. */
  read(digest: Digest): Promise<Uint8Array>
}

export interface ReleasePort {
  /** Id of the release this run makes; made on first use. */
  id(): Promise<string>
  /** Marks the release finished, locally; returns the history as it is to be copied to the primary host. */
  complete(images: Readonly<Record<string, { readonly ref: string; readonly digest: string }>>): Promise<string>
}

export interface AppliedMigration {
  readonly id: string
  readonly checksum: string
}
export interface MigrationFile {
  readonly id: string
  readonly sql: string
  readonly checksum: string
  /** False for files that begin with `-- stagecraft: no-transaction`. */
  readonly transaction: boolean
}

export interface Database {
  /** Rows of the ledger table, by id; empty when there is no such table. Reads only. */
  applied(): Promise<readonly AppliedMigration[]>
  /** Holds the project's advisory lock while `work` runs; fails with the holder's description when it is taken. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** Runs one file and records it, in one transaction where the file allows it. @throws TaskFailure naming file and line. */
  apply(file: MigrationFile, releaseId: string): Promise<void>
  close(): Promise<void>
}
