/** What a connection to a host is made with, and what it tells of itself. */
import type { ConnectionSettings } from './ssh-config.ts'
import type { Jumps } from './ssh-jumps.ts'

/** For tests and benchmarks: what a run has cost. */
export interface ConnectionStats {
  readonly connections: number
  readonly execs: number
  readonly sftpChannels: number
  readonly engineChannels: number
  readonly tunnels: number
}

export interface SshConnectionOptions {
  /** The host's name, for messages. */
  readonly name: string
  /** Asked once, on first use. */
  readonly settings: () => Promise<ConnectionSettings>
  /**
   * The run's. When it fires, what is under way ends as `interrupted`; what is asked for later is taken for putting
   * things in order and still done, until `close()`.
   */
  readonly signal: AbortSignal
  /** For TCP, handshake and authentication together. */
  readonly connectTimeoutMs?: number
  readonly keepaliveIntervalMs?: number
  /** Who knows the way to hosts that are reached through other machines. */
  readonly jumps?: Pick<Jumps, 'reach'>
}

/** With 3 keepalives without an answer, a dead link is noticed within 20 s. */
export const defaults = { connectTimeoutMs: 20_000, keepaliveIntervalMs: 5_000, keepaliveCount: 3 }
