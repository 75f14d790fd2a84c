/**
 * HTTP to a host's Docker Engine through channels of its SSH connection: one channel serves any number of calls one after
 * another. dockerode's own `ssh` protocol opens a connection for every call and accepts any host key, so it is not used.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import { type EngineHost, unavailableEngine } from './engine-failure.ts'
import type { SshConnection } from './ssh-connection.ts'
import { runOverSsh } from './ssh-exec.ts'
import { endpoint } from './ssh-failure.ts'

export const engineSocket = '/var/run/docker.sock'

/** sshd allows 10 sessions per connection by default (`MaxSessions`); SFTP and programs need some too. */
const maxProgramChannels = 6
const probeTimeoutMs = 15_000

export class EngineAgent extends Agent {
  readonly #connection: SshConnection
  #usesProgram: Promise<void> | undefined

  constructor(connection: SshConnection) {
    super({ keepAlive: true, maxFreeSockets: 4 })
    this.#connection = connection
    // A channel whose connection is gone looks open for a while, and swallows the request it is given.
    connection.onLost(() => {
      for (const channels of Object.values(this.freeSockets)) channels?.splice(0)
    })
  }

  /** One pool, however the request was addressed. */
  override getName(): string {
    return 'engine'
  }

  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    // The types know no call without a stream; with an error there is none.
    const failed = (error: Error) => (done as ((error: Error) => void) | undefined)?.(error)
    this.#connect().then((channel) => done?.(null, channel), failed)
  }

  /**
   * Sockets can be forwarded unless sshd forbids it; it gives the same answer when the socket is not there or not ours. Then
   * the `docker` program on the host is asked, which says why, or does the forwarding.
   */
  async #connect(): Promise<Duplex> {
    const signal = new AbortController().signal
    if (this.#usesProgram === undefined) {
      try {
        return asSocket(await this.#connection.socket(engineSocket, signal))
      } catch (error) {
        if (error instanceof TaskFailure) throw error
        this.#usesProgram ??= this.#probe()
      }
    }
    await this.#usesProgram
    this.maxSockets = maxProgramChannels
    const channel = await this.#connection.exec('exec docker system dial-stdio', signal)
    channel.stderr.resume()
    return asSocket(channel)
  }

  /** @throws TaskFailure saying why Docker cannot be used. */
  async #probe(): Promise<void> {
    const exit = await runOverSsh(this.#connection, {
      argv: ['docker', 'version', '--format', '{{.Server.APIVersion}}'],
      timeoutMs: probeTimeoutMs,
    })
    if (exit.code !== 0) throw new TaskFailure(unavailableEngine(await engineHost(this.#connection), exit))
  }
}

export async function engineHost(connection: SshConnection): Promise<EngineHost> {
  const settings = await connection.settings()
  return { name: settings.name, user: settings.user, where: endpoint(settings) }
}

/** What `http` asks of a socket and a channel does not have. Time-outs and keepalives are the connection's. */
function asSocket(channel: Duplex): Duplex {
  const nothing = () => channel
  return Object.assign(channel, {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: nothing,
    unref: nothing,
    destroySoon: () => channel.end(),
  })
}

/** One GET that answers JSON, without dockerode: looking at a host must not wait 140 ms for a library to load. */
export function getJson(agent: EngineAgent, path: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing: ClientRequest = request({ agent, socketPath: engineSocket, path, signal }, (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (answer.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`(HTTP code ${answer.statusCode}) unexpected - ${text}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
