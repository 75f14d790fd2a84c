/** Kept connections to one server, straight or through a proxy. */
import type { Agent, AgentOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import { proxyAuthorization } from './proxy.ts'

export interface ConnectionOptions {
  readonly maxSockets: number
  /** How names become addresses; the system's way unless told. */
  readonly lookup?: LookupFunction | undefined
  readonly proxy?: URL | undefined
}

/** What a request is sent over. */
export interface Connections {
  readonly agent: Agent
  /** Who is asked to pass the request on: what is not encrypted goes to the proxy itself, with the whole address. */
  readonly forwarder?: Forwarder
}

export interface Forwarder {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** Opens nothing yet. */
export async function openConnections(server: URL, { maxSockets, lookup, proxy }: ConnectionOptions): Promise<Connections> {
  const options: AgentOptions = { keepAlive: true, maxSockets, ...(lookup && { lookup }) }
  if (proxy !== undefined && server.protocol === 'https:') {
    const { TunnelAgent } = await import('./tunnel.ts')
    return { agent: new TunnelAgent(proxy, options) }
  }
  const { Agent } = (proxy ?? server).protocol === 'https:' ? await import('node:https') : await import('node:http')
  const agent = new Agent(options)
  if (proxy === undefined) return { agent }
  const authorization = proxyAuthorization(proxy)
  return { agent, forwarder: { url: proxy, headers: authorization === undefined ? {} : { 'proxy-authorization': authorization } } }
}
