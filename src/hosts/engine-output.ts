/** A container's output as a stream of whole lines (https://docs.docker.com/reference/api/engine/, "Get container logs"). */
import type { IncomingMessage } from 'node:http'
import type Dockerode from 'dockerode'
import type { OutputLine, OutputRequest } from '../../tasks/ports.ts'
import { OutputParser } from './engine-logs.ts'

export type OutputQuery = Readonly<Record<string, string | number | boolean>>

export function outputQuery({ tail, since, follow }: OutputRequest): OutputQuery {
  return { stdout: true, stderr: true, timestamps: true, tail: tail ?? 'all', ...(since === undefined ? {} : { since }), follow }
}

/** Taken as a stream whatever it is: dockerode makes an object of output that happens to be JSON. */
export function openOutput(docker: Dockerode, container: string, query: OutputQuery, abortSignal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const statusCodes = { 200: true, 404: 'no such container', 500: 'server error' }
    const request = {
      path: `/containers/${container}/logs?`,
      method: 'GET',
      isStream: true,
      statusCodes,
      abortSignal,
      options: query,
    }
    docker.modem.dial(request, (error: unknown, answer: unknown) => (error ? reject(error) : resolve(answer as IncomingMessage)))
  })
}

/**
 * Lines as they are read. Nothing is read while nobody asks, so that a slow reader slows the container's host, not us.
 * @throws what `broken` makes of an error, unless the signal has fired.
 */
export async function* outputOf(
  stream: IncomingMessage,
  signal: AbortSignal,
  broken: (error: Error) => Promise<Error>,
): AsyncGenerator<readonly OutputLine[]> {
  const parser = new OutputParser()
  const stop = () => void stream.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (signal.aborted) return
    for await (const chunk of stream) {
      const lines = parser.push(chunk as Buffer)
      if (lines.length > 0) yield lines
    }
    const rest = parser.end()
    if (rest.length > 0) yield rest
  } catch (error) {
    if (!signal.aborted) throw await broken(error as Error)
  } finally {
    signal.removeEventListener('abort', stop)
    stream.destroy()
  }
}
