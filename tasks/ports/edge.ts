/**
 * What kinds may ask of a machine's edge: the one proxy in front of every project and environment on it. Its folder is
 * shared, so what all projects read is only changed under a small lock of its own; files of one service are that service's.
 */
import type { HostFiles } from './host.ts'

export interface HostEdge {
  /** Absolute: `/opt/stagecraft/edge`. */
  readonly directory: string
  /** Below `directory`. */
  readonly files: HostFiles
  /** Runs while no other project's run changes what all share; waits for one that does. @throws TaskFailure `lock-held` after half a minute. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
}

/** What the edge of a host looks like now, as far as this environment goes. */
export interface EdgeState {
  /** The proxy's container, running or not. */
  readonly proxy?: ProxyContainer
  /** By key (see `tasks/edge/layout.ts`), all that are there for this environment, wanted or not. */
  readonly routes: Readonly<Record<string, RouteFiles>>
  /** SHA-256 of the configuration the proxy starts with, when it keeps one file for all services. */
  readonly assembled?: string
  /** What that hash was when this tool last wrote it. */
  readonly recorded?: string
}

export interface ProxyContainer {
  readonly id: string
  readonly image: string
  readonly isRunning: boolean
  /** Labels `stagecraft.edge.*`, without that prefix. */
  readonly labels: Readonly<Record<string, string>>
  readonly networks: readonly string[]
  /** Where this host reaches it, when it runs. */
  readonly address?: string
}

export interface RouteFiles {
  /** SHA-256 of the service's own file. */
  readonly config?: string
  /** What `live/<key>` points to. */
  readonly live?: string
  /** A maintenance page is in the way. */
  readonly isPaused: boolean
}
