import { Socket } from 'node:net'
import { DelayLine, type Parcel } from './delay-line.ts'

/** What a link tells of its traffic. */
export interface LinkEvents {
  up(bytes: number): void
  down(bytes: number): void
  /** The client begins to send, having received since it last did. */
  flight(): void
  end(): void
}

// How much may be under way in one direction of a connection: enough for 300 MB/s at 50 ms.
const windowBytes = 16 * 1024 * 1024

/** One proxied connection: the client's socket, the server's, and a delay line each way. */
export class DelayLink {
  readonly #client: Socket
  readonly #upstream = new Socket({ allowHalfOpen: true })
  readonly #up: DelayLine
  readonly #down: DelayLine
  #paused = false
  #open = 2

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, delayMs: number, events: LinkEvents) {
    this.#client = client
    const upstream = this.#upstream.setNoDelay(true)
    let hasHeard = false
    this.#up = new DelayLine(delayMs, (parcel) => {
      if (parcel === 'open') upstream.connect({ host: target.host, port: target.port })
      else this.#deliver(upstream, parcel)
    })
    this.#down = new DelayLine(delayMs, (parcel) => {
      hasHeard = true
      this.#deliver(client, parcel)
    })

    // A client could send after one round trip, and the server would accept when the end of the handshake has come to it.
    const connectedAt = performance.now() + 2 * delayMs
    this.#up.push('open', connectedAt)
    client.on('data', (chunk) => {
      if (hasHeard) events.flight()
      hasHeard = false
      events.up(chunk.length)
      this.#up.push(chunk, connectedAt)
      this.#throttle()
    })
    upstream.on('data', (chunk) => {
      events.down(chunk.length)
      this.#down.push(chunk)
      this.#throttle()
    })
    client.on('end', () => this.#up.push('end', connectedAt))
    upstream.on('end', () => this.#down.push('end'))
    for (const socket of [client, upstream]) {
      socket.on('drain', () => this.#throttle())
      socket.on('error', () => this.cut())
      socket.on('close', () => {
        this.#open--
        if (this.#open === 0) events.end()
      })
    }
  }

  cut(): void {
    this.#up.clear()
    this.#down.clear()
    reset(this.#client)
    reset(this.#upstream)
  }

  pause(): void {
    this.#paused = true
    this.#up.pause()
    this.#down.pause()
    this.#throttle()
  }

  resume(): void {
    this.#paused = false
    this.#up.resume()
    this.#down.resume()
    this.#throttle()
  }

  #deliver(socket: Socket, parcel: Parcel): void {
    if (socket.destroyed) return
    if (typeof parcel !== 'string') socket.write(parcel)
    else if (parcel === 'end') socket.end()
    this.#throttle()
  }

  #throttle(): void {
    const flow = (source: Socket, line: DelayLine, sink: Socket) => {
      if (this.#paused || line.held + sink.writableLength > windowBytes) source.pause()
      else source.resume()
    }
    flow(this.#client, this.#up, this.#upstream)
    flow(this.#upstream, this.#down, this.#client)
  }
}

/**
 * A socket that never connected has nothing to reset. One whose sending side was ended cannot be: Node takes it for closed all the same, leaves it open, and waits for
 * it without end, at full speed, when the process is to exit (seen with Node 20.20).
 */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
