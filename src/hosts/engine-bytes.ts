import { type IncomingMessage, request } from 'node:http'
import { TaskFailure } from '../../tasks/kind.ts'
import { refusedRequest } from './engine-failure.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost, engineSocket } from './ssh-engine-agent.ts'

const timeoutMs = 30_000

/** One GET whose answer is not JSON: container output. @throws TaskFailure with the Engine's own words. */
export function openBytes(connection: SshConnection, agent: EngineAgent, what: string, path: string): Promise<Buffer> {
  return connection.perform(`to ${what}`, timeoutMs, async (signal) => {
    const { status, bytes } = await get(agent, path, signal)
    if (status < 400) return bytes
    throw new TaskFailure(refusedRequest(await engineHost(connection), what, bytes.toString('utf8')))
  })
}

function get(agent: EngineAgent, path: string, signal: AbortSignal): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, socketPath: engineSocket, path, signal }, (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
