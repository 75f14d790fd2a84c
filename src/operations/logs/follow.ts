/**
 * What containers say from now on, of all hosts, until the signal fires. Containers that appear are listened to from their first line, and a host
 * whose connection was lost is dialed again: nothing is shown twice, and nothing the Engine still has is left out.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Container, EngineEvent, Host, OutputRequest } from '../../../tasks/ports.ts'
import type { Fleet } from '../fleet.ts'
import { type LogLine, shortContainer, sourceName } from './line-text.ts'
import { linesOf, type Positions, positionKey } from './past.ts'
import { advanced, onwards, unread } from './position.ts'

export interface FollowOptions {
  /** Of containers that were there when listening began and said nothing before. */
  readonly request: Pick<OutputRequest, 'tail' | 'since'>
  readonly signal: AbortSignal
  readonly positions: Positions
  /** Takes lines of one container in order; the container is not read on before it resolves. */
  take(lines: readonly LogLine[]): Promise<void>
  /** What happens to containers and connections, for people. */
  say(text: string): void
  /** Pauses between two tries to reach a host; the last one is used again and again. */
  readonly pausesMs?: readonly number[]
}

const usualPausesMs = [1_000, 2_000, 5_000, 10_000, 30_000]
const reopenMs = 200

export async function follow(fleet: Fleet, options: FollowOptions): Promise<void> {
  await Promise.all(fleet.hosts.map(({ name }) => followHost(fleet, name, options)))
}

async function followHost(fleet: Fleet, name: string, options: FollowOptions): Promise<void> {
  const { signal, say, pausesMs = usualPausesMs } = options
  for (let tries = 0; !signal.aborted; ) {
    const visit = new HostVisit(fleet, fleet.host(name), options, tries > 0)
    try {
      await visit.stay(() => {
        if (tries > 0) say(`${name}: listening again`)
        tries = 0
      })
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof TaskFailure)) throw error
      if (tries === 0) say(`${name}: ${error.failure.message}; trying again until it answers`)
    }
    if (signal.aborted) return
    const pauseMs = pausesMs[Math.min(tries++, pausesMs.length - 1)] ?? 0
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
    await fleet.redial(name)
  }
}

/** Listening to one host for as long as one connection lasts. */
class HostVisit {
  readonly #fleet: Fleet
  readonly #host: Host
  readonly #options: FollowOptions
  readonly #listening = new Set<string>()
  /** Containers that were listened to, by id. */
  readonly #known = new Map<string, Container>()
  readonly #over = new AbortController()
  readonly #signal: AbortSignal
  #failure: unknown
  /** Containers there at the first look are old acquaintances; later ones are told of. */
  #isSettled: boolean

  constructor(fleet: Fleet, host: Host, options: FollowOptions, isReturn: boolean) {
    this.#fleet = fleet
    this.#host = host
    this.#options = options
    this.#isSettled = isReturn
    this.#signal = AbortSignal.any([this.#over.signal, options.signal])
    // One for each container that is listened to.
    setMaxListeners(0, this.#signal)
  }

  /** Until the connection is lost or the signal fires. @throws TaskFailure why it was lost. */
  async stay(onListening: () => void): Promise<void> {
    const subscription = await this.#host.engine.events((event) => this.#heard(event))
    try {
      // Nothing can start unseen between the subscription and this look.
      await this.#look()
      this.#isSettled = true
      onListening()
      if (!this.#signal.aborted)
        await new Promise<void>((resolve) => this.#signal.addEventListener('abort', () => resolve(), { once: true }))
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      this.#over.abort()
      subscription.close()
    }
  }

  #heard({ action, container, exitCode }: EngineEvent): void {
    if (action === 'disconnected') {
      const message = 'the Engine stopped telling what happens'
      this.#end(new TaskFailure({ reason: 'unreachable', subject: this.#host.name, message }))
    } else if (action === 'start') this.#try(this.#look())
    else if (action === 'die') {
      const known = this.#known.get(container)
      if (known !== undefined) this.#say(known, exitCode === undefined ? 'ended' : `ended with code ${exitCode}`)
    }
  }

  async #look(): Promise<void> {
    this.#host.changed()
    const { containers } = await this.#host.observe()
    for (const container of containers) {
      if (!this.#fleet.wants(container.service) || container.state !== 'running' || this.#listening.has(container.id)) continue
      const isNew = !this.#options.positions.has(positionKey(this.#host.name, container))
      if (this.#known.has(container.id)) this.#say(container, 'started again')
      else if (this.#isSettled && isNew) this.#say(container, 'started')
      this.#known.set(container.id, container)
      this.#try(this.#listen(container))
    }
  }

  async #listen(container: Container): Promise<void> {
    const { positions, request, take } = this.#options
    const key = positionKey(this.#host.name, container)
    const position = positions.get(key)
    // One that is new is heard from its first line.
    const wanted = onwards(position, this.#isSettled ? {} : request)
    const isNew = unread(position)
    this.#listening.add(container.id)
    try {
      for await (const lines of linesOf(this.#fleet, this.#host, container, wanted, this.#signal)) {
        const fresh = lines.filter(isNew)
        for (const line of fresh) positions.set(key, advanced(positions.get(key), line))
        await take(fresh)
        if (this.#signal.aborted) return
      }
    } catch (error) {
      // Whoever logs elsewhere (`driver: none`) has nothing to be read here; a lost connection is noticed by itself.
      if (!(error instanceof TaskFailure) || error.failure.reason !== 'refused') throw error
      return this.#say(container, error.failure.message)
    } finally {
      this.#listening.delete(container.id)
    }
    // It may have been started again before its end was read. Should the Engine end what still runs, it is not asked again at once.
    await delay(reopenMs, undefined, { signal: this.#signal }).catch(() => undefined)
    if (!this.#signal.aborted) await this.#look()
  }

  #say({ name }: Container, what: string): void {
    const container = shortContainer(name, this.#fleet.deployment.composeProject)
    this.#options.say(`${sourceName({ host: this.#host.name, container })} ${what}`)
  }

  /** What fails while nobody waits for it ends the visit. */
  #try(work: Promise<void>): void {
    work.catch((error: unknown) => this.#end(error))
  }

  #end(failure: unknown): void {
    if (this.#signal.aborted) return
    this.#failure = failure
    this.#over.abort()
  }
}
