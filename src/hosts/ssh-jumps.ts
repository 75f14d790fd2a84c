/** Machines on the way to hosts (`ProxyJump`): one connection to each for a whole run, however many hosts are behind it. */
import type { Duplex } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import type { ConnectionSettings } from './ssh-config.ts'
import { SshConnection } from './ssh-connection.ts'
import type { SshConnectionOptions } from './ssh-connection-options.ts'
import { endpoint } from './ssh-failure.ts'

const reachTimeoutMs = 20_000

export class Jumps {
  readonly #options: Pick<SshConnectionOptions, 'signal' | 'connectTimeoutMs' | 'keepaliveIntervalMs'>
  readonly #open = new Map<string, SshConnection>()

  /** @param options as for connections to hosts. */
  constructor(options: Pick<SshConnectionOptions, 'signal' | 'connectTimeoutMs' | 'keepaliveIntervalMs'>) {
    this.#options = options
  }

  /**
   * A way to the host's port from the last machine before it (RFC 4254, 7.2).
   * @throws TaskFailure (unreachable, refused, timeout, interrupted) that names the machine where the way ends.
   */
  async reach({ name, hostName, port, jumps }: ConnectionSettings): Promise<Duplex> {
    const last = jumps.at(-1)
    if (last === undefined) throw new Error(`${name} is reached without a jump`)
    const connection = this.#to({ ...last, jumps: jumps.slice(0, -1) })
    return connection.perform(`to reach ${hostName}:${port}`, reachTimeoutMs, (signal) =>
      connection.tcp(hostName, port, signal).catch((error: unknown) => {
        if (error instanceof TaskFailure || signal.aborted || !(error instanceof Error)) throw error
        throw new TaskFailure(
          {
            reason: 'unreachable',
            subject: name,
            message: `${endpoint(last)}, through which ${name} is reached, has no way to ${hostName}:${port}: ${error.message}`,
            remedy: `check that ${hostName} is how ${last.name} knows it, and that sshd there has \`AllowTcpForwarding\``,
          },
          { cause: error },
        )
      }),
    )
  }

  /** After the connections to the hosts behind. */
  async close(): Promise<void> {
    // The machine nearest to the hosts first: it is reached through the others.
    for (const connection of [...this.#open.values()].reverse()) await connection.close()
  }

  #to(settings: ConnectionSettings): SshConnection {
    const key = [...settings.jumps, settings].map(({ user, hostName, port }) => `${user}@${hostName}:${port}`).join(' ')
    const known = this.#open.get(key)
    if (known) return known
    // What it goes through is opened before it, and so closed after it.
    const before = settings.jumps.at(-1)
    if (before) this.#to({ ...before, jumps: settings.jumps.slice(0, -1) })
    const connection = new SshConnection({ ...this.#options, name: settings.name, settings: () => Promise.resolve(settings), jumps: this })
    this.#open.set(key, connection)
    return connection
  }
}
