import type { Readable } from 'node:stream'
import type { EngineEvent } from '../../tasks/ports.ts'

/** Told to subscribers when events stop coming although nobody closed the subscription: what they wait for may have passed unseen. */
export const disconnected: EngineEvent = { action: 'disconnected', container: '' }

/** Only what containers live through: health checks alone would send three events every few seconds. */
export const watchedActions = [
  'create',
  'start',
  'restart',
  'die',
  'oom',
  'kill',
  'stop',
  'pause',
  'unpause',
  'destroy',
  'rename',
  'health_status',
]

/** A message of `GET /events` (https://docs.docker.com/reference/api/engine/, `EventMessage`). */
interface EventMessage {
  readonly Type?: string
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
}

export function parseEvent(line: string): EngineEvent | undefined {
  const message = JSON.parse(line) as EventMessage
  if (message.Action === undefined || message.Actor?.ID === undefined) return undefined
  const exitCode = message.Actor.Attributes?.['exitCode']
  return { action: message.Action, container: message.Actor.ID, ...(exitCode === undefined ? {} : { exitCode: Number(exitCode) }) }
}

/** One stream of events for all who ask: they all want the same environment's. */
export class EventSubscriptions {
  readonly #open: () => Promise<Readable>
  readonly #listeners = new Set<(event: EngineEvent) => void>()
  #stream: Promise<Readable> | undefined

  /** `open` resolves when the Engine has answered. */
  constructor(open: () => Promise<Readable>) {
    this.#open = open
  }

  async subscribe(onEvent: (event: EngineEvent) => void): Promise<{ close(): void }> {
    // Each call is a subscription of its own, even of the same function.
    const listener = (event: EngineEvent) => onEvent(event)
    this.#listeners.add(listener)
    this.#stream ??= this.#start()
    const stream = this.#stream
    try {
      await stream
    } catch (error) {
      this.#listeners.delete(listener)
      throw error
    }
    return { close: () => this.#leave(listener) }
  }

  async #start(): Promise<Readable> {
    const opening = this.#open()
    const stream = await opening.catch((error: unknown) => {
      this.#stream = undefined
      throw error
    })
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const event of lines.filter((line) => line.trim() !== '').map(parseEvent)) if (event !== undefined) this.#tell(event)
    })
    const current = this.#stream
    const ended = () => {
      if (this.#stream !== current) return
      this.#stream = undefined
      this.#tell(disconnected)
    }
    stream.once('end', ended)
    stream.once('error', ended)
    stream.once('close', ended)
    return stream
  }

  #tell(event: EngineEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  #leave(listener: (event: EngineEvent) => void): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0) return
    const stream = this.#stream
    this.#stream = undefined
    // A stream that failed to open told its subscribers.
    stream?.then(
      (open) => open.destroy(),
      () => undefined,
    )
  }
}
