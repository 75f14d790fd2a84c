/** TLS to a server through a proxy, which passes bytes on and cannot read them (RFC 9110, 9.3.6: CONNECT). */
import { type ClientRequest, request as httpRequest } from 'node:http'
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { proxyAuthorization } from './proxy.ts'

type Connected = (error: Error | null, socket: Duplex) => void

/** Who is not let through by then will not be. */
const connectTimeoutMs = 30_000

/** Keeps and counts connections as Node's agent does; only how one is made is different. */
export class TunnelAgent extends Agent {
  readonly #proxy: URL
  readonly #opening = new Set<ClientRequest>()

  constructor(proxy: URL, options: AgentOptions) {
    super(options)
    this.#proxy = proxy
  }

  override createConnection(options: TunnelOptions, connected?: Connected): undefined {
    const { host, port = 443 } = options
    const target = `${host?.includes(':') ? `[${host}]` : host}:${port}`
    const failed = (why: string, cause?: Error): void => {
      const error = new Error(`the proxy ${this.#proxy.host} ${why}`, cause && { cause })
      // Node's agent asks for a socket next to the error, and does not look at it.
      ;(connected as ((error: Error) => void) | undefined)?.(error)
    }
    const authorization = proxyAuthorization(this.#proxy)
    const ask = this.#proxy.protocol === 'https:' ? httpsRequest : httpRequest
    const asked = ask({
      method: 'CONNECT',
      host: this.#proxy.hostname.replace(/^\[|\]$/g, ''),
      port: this.#proxy.port || (this.#proxy.protocol === 'https:' ? 443 : 80),
      path: target,
      headers: { host: target, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
      agent: false,
      timeout: connectTimeoutMs,
    })
    this.#opening.add(asked)
    asked
      .on('timeout', () => asked.destroy(new Error(`no answer within ${connectTimeoutMs / 1000} s`)))
      .on('error', (error) => failed(`cannot be used: ${error.message}`, error))
      .on('close', () => this.#opening.delete(asked))
      .on('response', (answer) => {
        answer.resume()
        failed(`does not answer as one: HTTP status ${answer.statusCode}`)
      })
      .on('connect', (answer, socket) => {
        this.#opening.delete(asked)
        socket.setTimeout(0)
        if (answer.statusCode === 200) {
          connected?.(null, this.#encrypted({ ...options, socket }))
          return
        }
        socket.destroy()
        failed(
          `does not lead to ${target}: it answered with ${answer.statusCode}${answer.statusCode === 407 ? ', it wants a user and a password' : ''}`,
        )
      })
      .end()
    return undefined
  }

  override destroy(): void {
    for (const asked of this.#opening) asked.destroy()
    super.destroy()
  }

  #encrypted(options: TunnelOptions & { readonly socket: Duplex }): Duplex {
    return super.createConnection(options) as Duplex
  }
}

type TunnelOptions = Parameters<Agent['createConnection']>[0]
