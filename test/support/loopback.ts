/** HTTP servers of a test's own, on this machine only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'

export interface LoopbackServer {
  /** `127.0.0.1:port` */
  readonly address: string
  readonly port: number
  /** Connections taken so far. */
  connections(): number
  close(): Promise<void>
}

export type HttpListener = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** A listener that fails breaks its connection. */
export async function serveHttp(listener: HttpListener): Promise<LoopbackServer> {
  let connections = 0
  const server = createServer((request, response) => {
    Promise.resolve()
      .then(() => listener(request, response))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  return {
    address: `127.0.0.1:${port}`,
    port,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
