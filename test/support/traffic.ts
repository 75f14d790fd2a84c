/**
 * Users of a service while it is deployed: connections kept alive and busy, kept alive and mostly idle, and new for each request; a
 * slow request that is always under way, and a WebSocket. Everything that is not a 2xx answer is kept, with when it happened.
 */
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface TrafficTarget {
  readonly address: string
  readonly port?: number
  /** The `Host` header. */
  readonly domain: string
  /** Answered at once; default `/`. */
  readonly path?: string
  /** Takes a second or more; none unless told. */
  readonly slowPath?: string
  /** How many slow requests are under way at any time; default 1. */
  readonly slowAtOnce?: number
  /** Answers an upgrade and says each message back; none unless told. */
  readonly socketPath?: string
}

export interface TrafficReport {
  readonly requests: number
  /** `GET / on a kept connection: ECONNRESET after 1200 ms`. */
  readonly failures: readonly string[]
  /** How often each body was answered. */
  readonly bodies: Readonly<Record<string, number>>
  readonly slow: { readonly finished: number }
  readonly socket: { readonly echoes: number; readonly endedAfterMs?: number }
}

export interface Traffic {
  /** Resolves once a body like this was answered. */
  until(body: string): Promise<void>
  /** Lets what is under way finish. */
  stop(): Promise<TrafficReport>
}

const kinds = [
  { title: 'on a busy kept connection', count: 3, keepAlive: true, pauseMs: 5 },
  // Idle for longer than a swap's connections stay around, so that requests meet whatever was closed meanwhile.
  { title: 'on an idle kept connection', count: 6, keepAlive: true, pauseMs: 700 },
  { title: 'on a new connection', count: 2, keepAlive: false, pauseMs: 10 },
] as const
const timeoutMs = 20_000

export function startTraffic(target: TrafficTarget): Traffic {
  const startedAt = performance.now()
  const failures: string[] = []
  const bodies: Record<string, number> = {}
  const waiting: { readonly body: string; readonly done: () => void }[] = []
  let stopped = false
  let requests = 0
  let slow = 0
  const fail = (what: string) => failures.push(`${what} after ${Math.round(performance.now() - startedAt)} ms`)

  const ask = async (path: string, agent: Agent, title: string): Promise<boolean> => {
    requests += 1
    const answer = await get(target, path, agent)
    if (answer.problem !== undefined) {
      fail(`GET ${path} ${title}: ${answer.problem}`)
      return false
    }
    bodies[answer.body] = (bodies[answer.body] ?? 0) + 1
    for (const { body, done } of waiting) if (answer.body.includes(body)) done()
    return true
  }
  const loop = async (path: string, keepAlive: boolean, pauseMs: number, title: string, after?: () => void) => {
    const agent = new Agent({ keepAlive, maxSockets: 1 })
    while (!stopped) {
      const isGood = await ask(path, agent, title)
      if (isGood) after?.()
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())))
    }
    agent.destroy()
  }
  const { path = '/', slowPath, slowAtOnce = 1, socketPath } = target
  const loops = kinds.flatMap(({ title, count, keepAlive, pauseMs }) =>
    Array.from({ length: count }, () => loop(path, keepAlive, pauseMs, title)),
  )
  const counted = () => {
    slow += 1
  }
  for (let count = 0; slowPath !== undefined && count < slowAtOnce; count++)
    loops.push(loop(slowPath, false, 0, 'that takes long', counted))
  const socket = socketPath === undefined ? undefined : openWebSocket(target, socketPath, startedAt, fail)

  return {
    until: (body) =>
      new Promise((resolve) => {
        waiting.push({ body, done: resolve })
      }),
    async stop() {
      stopped = true
      await Promise.all(loops)
      const { echoes = 0, endedAfterMs } = socket?.close() ?? {}
      return {
        requests,
        failures,
        bodies,
        slow: { finished: slow },
        socket: { echoes, ...(endedAfterMs !== undefined && { endedAfterMs }) },
      }
    },
  }
}

function get({ address, port = 80, domain }: TrafficTarget, path: string, agent: Agent): Promise<{ body: string; problem?: string }> {
  return new Promise((resolve) => {
    const asked = request(
      { host: address, port, path, agent, headers: { host: domain }, timeout: timeoutMs },
      (response: IncomingMessage) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.on('error', (error) => resolve({ body, problem: error.message }))
        response.on('end', () => {
          const status = response.statusCode ?? 0
          const isGood = status >= 200 && status < 300
          resolve({ body: body.trim(), ...(!isGood && { problem: `${status} ${body.trim().slice(0, 80)}` }) })
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    asked.on('error', (error: NodeJS.ErrnoException) => resolve({ body: '', problem: error.code ?? error.message }))
    asked.end()
  })
}

/** A handshake by hand and one short text frame every 200 ms. */
function openWebSocket({ address, port = 80, domain }: TrafficTarget, path: string, startedAt: number, fail: (what: string) => void) {
  const socket: Socket = connect(port, address)
  let echoes = 0
  let endedAfterMs: number | undefined
  let isOpen = false
  let closing = false
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${domain}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  )
  // FIN, text, masked with zeros, two bytes.
  const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])
  const timer = setInterval(() => {
    if (isOpen && !socket.destroyed) socket.write(frame)
  }, 200)
  socket.on('data', (data) => {
    if (isOpen) echoes += 1
    else if (data.toString('latin1').startsWith('HTTP/1.1 101')) isOpen = true
    else fail(`the WebSocket was refused: ${data.toString('latin1').split('\r\n')[0]}`)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(timer)
    if (!closing) endedAfterMs = Math.round(performance.now() - startedAt)
  })
  return {
    close() {
      closing = true
      socket.destroy()
      return { echoes, ...(endedAfterMs !== undefined && { endedAfterMs }) }
    },
  }
}
