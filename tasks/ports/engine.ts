/** A host's Docker Engine, and containers as it tells of them. */
import type { Exit } from './host.ts'
import type { RegistryCredentials } from './images.ts'

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
  /** Where the edge sends requests to it; from its label, so that an old container keeps the port it was made with. */
  readonly routePort?: number
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
  /** Its addresses on all its networks. */
  readonly addresses: readonly string[]
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
  /** Runs a program in a running container. A non-zero exit is a value. */
  exec(container: string, argv: readonly [string, ...string[]], options?: { readonly stdin?: string }): Promise<Exit>
  /** Joins a container to a network; being in it already is fine. */
  joinNetwork(network: string, container: string): Promise<void>
  /** Pulls by digest with credentials in a header; nothing is stored on the host. */
  pull(reference: string, credentials: RegistryCredentials | undefined, onLine?: (line: string) => void): Promise<void>
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure'
  readonly maximumRetryCount?: number
}
