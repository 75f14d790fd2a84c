/** Answers of the Engine API that are no JSON: container output. */
import { type IncomingMessage, request } from 'node:http'
import { TaskFailure } from '../../tasks/kind.ts'
import { refusedRequest } from './engine-failure.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost, engineSocket } from './ssh-engine-agent.ts'

const timeoutMs = 30_000

/** All of it. @throws TaskFailure with the Engine's own words. */
export function openBytes(connection: SshConnection, agent: EngineAgent, what: string, path: string): Promise<Buffer> {
  return connection.perform(`to ${what}`, timeoutMs, async (signal) =>
    bytesOf(await answered(connection, what, await get(agent, path, signal))),
  )
}

/** As it comes; resolves when the Engine has answered. @throws TaskFailure with the Engine's own words. */
export function openStream(connection: SshConnection, agent: EngineAgent, what: string, path: string): Promise<IncomingMessage> {
  return connection.perform(`to ${what}`, timeoutMs, async (signal) => {
    const answer = await answered(connection, what, await get(agent, path))
    if (signal.aborted) answer.destroy()
    return answer
  })
}

async function answered(connection: SshConnection, what: string, answer: IncomingMessage): Promise<IncomingMessage> {
  if ((answer.statusCode ?? 0) < 400) return answer
  const said = (await bytesOf(answer)).toString('utf8').trim()
  throw new TaskFailure(refusedRequest(await engineHost(connection), what, said || `the Engine answered ${answer.statusCode}`))
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function get(agent: EngineAgent, path: string, signal?: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, socketPath: engineSocket, path, ...(signal && { signal }) }, resolve)
    outgoing.on('error', reject)
    outgoing.end()
  })
}
