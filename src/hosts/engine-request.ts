/** Requests of the Engine API (https://docs.docker.com/reference/api/engine/) without dockerode: what operations need beside its calls. */
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { TaskFailure } from '../../tasks/kind.ts'
import { refusedRequest } from './engine-failure.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type EngineAgent, engineHost, engineSocket } from './ssh-engine-agent.ts'

export interface EngineRequest {
  /** Completes "cannot … on node-1". */
  readonly what: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Statuses that are answers and not failures, beside those below 400. */
  readonly expected?: readonly number[]
  /** Default: a minute. */
  readonly timeoutMs?: number
}

export interface EngineAnswer {
  readonly status: number
  /** Undefined when there was no body. */
  readonly json: unknown
}

const defaultTimeoutMs = 60_000

/** @throws TaskFailure with the Engine's own words. */
export function askEngine(connection: SshConnection, agent: EngineAgent, wanted: EngineRequest): Promise<EngineAnswer> {
  return perform(connection, wanted, (signal) => send(agent, wanted, signal, {}))
}

/** A request after which the connection carries bytes in both directions. @throws TaskFailure with the Engine's own words. */
export async function hijackEngine(connection: SshConnection, agent: EngineAgent, wanted: EngineRequest): Promise<Duplex> {
  const answer = await perform(connection, wanted, (signal) => send(agent, wanted, signal, { Connection: 'Upgrade', Upgrade: 'tcp' }))
  if (answer.stream !== undefined) return answer.stream
  throw await refused(connection, wanted, 'it did not open a stream')
}

async function perform(connection: SshConnection, wanted: EngineRequest, work: (signal: AbortSignal) => Promise<Sent>): Promise<Sent> {
  return connection.perform(`to ${wanted.what}`, wanted.timeoutMs ?? defaultTimeoutMs, async (signal) => {
    let answer: Sent
    try {
      answer = await work(signal)
    } catch (error) {
      if (error instanceof TaskFailure || signal.aborted) throw error
      throw await refused(connection, wanted, (error as Error).message, error)
    }
    if (answer.status < 400 || wanted.expected?.includes(answer.status)) return answer
    throw await refused(connection, wanted, messageOf(answer))
  })
}

async function refused(connection: SshConnection, { what }: EngineRequest, message: string, cause?: unknown): Promise<TaskFailure> {
  return new TaskFailure(refusedRequest(await engineHost(connection), what, message), { cause })
}

function messageOf({ status, json }: EngineAnswer): string {
  const { message } = (json ?? {}) as { readonly message?: unknown }
  return typeof message === 'string' ? message : `the Engine answered ${status}`
}

interface Sent extends EngineAnswer {
  readonly stream?: Duplex
}

function send(
  agent: EngineAgent,
  { method, path, body, headers: own }: EngineRequest,
  signal: AbortSignal,
  upgrade: Record<string, string>,
): Promise<Sent> {
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const headers = { ...own, ...upgrade, ...(bytes && { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length) }) }
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, socketPath: engineSocket, method, path, headers, signal }, (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        try {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: answer.statusCode ?? 0, json: text.trim() === '' ? undefined : JSON.parse(text) })
        } catch (error) {
          reject(error)
        }
      })
    })
    outgoing.on('upgrade', (answer, stream: Duplex, head) => {
      if (head.length > 0) stream.unshift(head)
      resolve({ status: answer.statusCode ?? 0, json: undefined, stream })
    })
    outgoing.on('error', reject)
    outgoing.end(bytes)
  })
}
