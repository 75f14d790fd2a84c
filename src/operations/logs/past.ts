/** What containers have said so far: of all hosts, in the order it was said. */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Container, Host, OutputRequest } from '../../../tasks/ports.ts'
import type { Answer, Fleet } from '../fleet.ts'
import { type LogLine, shortContainer } from './line-text.ts'
import { mergeByTime } from './merge-by-time.ts'
import { advanced, type Position } from './position.ts'

/** By host and id of container. */
export type Positions = Map<string, Position>

export function positionKey(host: string, container: Pick<Container, 'id'>): string {
  return `${host} ${container.id}`
}

/** A container's output, each line with whose it is. */
export async function* linesOf(
  fleet: Fleet,
  host: Host,
  container: Container,
  request: OutputRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly LogLine[]> {
  const source = { host: host.name, service: container.service, container: shortContainer(container.name, fleet.deployment.composeProject) }
  for await (const lines of await host.engine.output(container.id, request, signal)) yield lines.map((line) => ({ ...line, ...source }))
}

export interface Past {
  /** Containers whose output was asked for, by host; sorted by name. */
  readonly answers: readonly Answer<readonly Container[]>[]
  readonly lines: AsyncIterable<readonly LogLine[]>
}

export interface PastOptions {
  readonly request: Pick<OutputRequest, 'tail' | 'since'>
  readonly signal: AbortSignal
  readonly positions: Positions
  /** Told when a container's output broke off or cannot be had; the others go on. */
  onFailure(host: string, failure: TaskFailure['failure']): void
}

/** Stopped containers too: why one ended is often in its last lines. */
export async function readPast(fleet: Fleet, options: PastOptions): Promise<Past> {
  const { positions, signal } = options
  const answers = await fleet.ask(async (host) => (await host.observe()).containers.filter(({ service }) => fleet.wants(service)))

  async function* source(host: Host, container: Container): AsyncGenerator<readonly LogLine[]> {
    const key = positionKey(host.name, container)
    try {
      for await (const lines of linesOf(fleet, host, container, { ...options.request, follow: false }, signal)) {
        for (const line of lines) positions.set(key, advanced(positions.get(key), line))
        yield lines
      }
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error
      if (!signal.aborted) options.onFailure(host.name, error.failure)
    }
  }

  const sources = answers.flatMap((answer) =>
    answer.ok ? answer.value.map((container) => source(fleet.host(answer.name), container)) : [],
  )
  return { answers, lines: options.request.tail === 0 ? none() : mergeByTime(sources) }
}

async function* none(): AsyncGenerator<readonly LogLine[]> {
  yield []
}
