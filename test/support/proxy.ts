/** A proxy as companies have one: passes on what it is asked for whole addresses, and tunnels. Names lead where the test says. */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { portOf } from './loopback.ts'

export interface TestProxy {
  readonly port: number
  /** `GET http://cache.test/…` and `CONNECT cache.test:443`, in order, with `Proxy-Authorization` where there was one. */
  readonly asked: string[]
  close(): void
}

/** @param port where every name leads, on this machine. */
export async function startProxy(port: number): Promise<TestProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const note = (method = '', target = '', authorization = ''): void => void asked.push(`${method} ${target} ${authorization}`.trim())
  const server = createServer((incoming, answer) => {
    note(incoming.method, incoming.url, incoming.headers['proxy-authorization'])
    const { pathname } = new URL(incoming.url ?? '')
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const passed = request({ host: '127.0.0.1', port, method: incoming.method, path: pathname, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers)
      from.pipe(answer)
    })
    passed.on('error', () => answer.writeHead(502).end())
    incoming.pipe(passed)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (incoming, socket) => {
    note('CONNECT', incoming.url, incoming.headers['proxy-authorization'])
    if (incoming.url?.startsWith('refused.')) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const passed = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      passed.pipe(socket).pipe(passed)
    })
    sockets.add(passed)
    for (const end of [passed, socket]) end.on('error', () => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: portOf(server),
    asked,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
