/**
 * The health gate: a started container is ready when the engine says so, not after a sleep. Subscribed before the start,
 * so no event is missed; fails at once when the container dies, runs out of memory or turns unhealthy.
 */
import { request } from 'node:http'
import { TaskFailure } from '../kind.ts'
import type { ContainerDetail, EngineEvent, Host } from '../ports.ts'

export interface GateOptions {
  readonly service: string
  readonly timeoutMs: number
  /** How long a container without a healthcheck (neither Compose's nor the image's) must stay up. */
  readonly minReadyMs: number
  /** An HTTP answer to wait for once the container is up. */
  readonly probe?: { readonly port: number; readonly path: string; readonly expectedStatus: number }
  readonly signal: AbortSignal
}

/** Starts a container and resolves once it is ready. @throws TaskFailure `unhealthy` with its last log lines. */
export async function startAndAwait(host: Host, container: string, options: GateOptions): Promise<void> {
  const watch = watchContainer(container)
  const subscription = await host.engine.events(watch.onEvent)
  try {
    await host.engine.start(container)
    // An adopted container may have become healthy before we subscribed.
    const now = await host.engine.inspect(container)
    if (now.state !== 'running') watch.settle({ ready: false, why: exitText(now) })
    else if (now.health === 'healthy') watch.settle({ ready: true })
    else if (now.health === 'unhealthy') watch.settle({ ready: false, why: 'is unhealthy' })
    const stays = now.health === 'none' ? options.minReadyMs : undefined
    const verdict = await watch.verdict({
      timeoutMs: options.timeoutMs,
      ...(stays === undefined ? {} : { readyAfterMs: stays }),
      signal: options.signal,
    })
    if (!verdict.ready) throw await unhealthy(host, container, options, verdict.why)
    if (options.probe) await awaitAnswer(host, container, options, options.probe)
  } finally {
    subscription.close()
  }
}

type Verdict = { readonly ready: true } | { readonly ready: false; readonly why: string }

function watchContainer(container: string) {
  let settle: (verdict: Verdict) => void = () => {}
  const settled = new Promise<Verdict>((resolve) => {
    settle = resolve
  })
  const onEvent = (event: EngineEvent): void => {
    if (event.container !== container) return
    if (event.action === 'die')
      settle({ ready: false, why: event.exitCode === undefined ? 'exited' : `exited with code ${event.exitCode}` })
    else if (event.action === 'oom') settle({ ready: false, why: 'ran out of memory' })
    else if (event.action === 'health_status: healthy') settle({ ready: true })
    else if (event.action === 'health_status: unhealthy') settle({ ready: false, why: 'is unhealthy' })
  }
  const verdict = async (limits: { timeoutMs: number; readyAfterMs?: number; signal: AbortSignal }): Promise<Verdict> => {
    const timers: NodeJS.Timeout[] = []
    const onAbort = () => settle({ ready: false, why: 'was interrupted' })
    limits.signal.addEventListener('abort', onAbort, { once: true })
    if (limits.signal.aborted) onAbort()
    if (limits.readyAfterMs !== undefined) timers.push(setTimeout(() => settle({ ready: true }), limits.readyAfterMs))
    timers.push(setTimeout(() => settle({ ready: false, why: `was not ready within ${limits.timeoutMs / 1000} s` }), limits.timeoutMs))
    try {
      return await settled
    } finally {
      for (const timer of timers) clearTimeout(timer)
      limits.signal.removeEventListener('abort', onAbort)
    }
  }
  return { onEvent, settle, verdict }
}

function exitText(detail: ContainerDetail): string {
  if (detail.oomKilled) return 'ran out of memory'
  if (detail.error !== '') return `did not start: ${detail.error}`
  return `exited with code ${detail.exitCode}`
}

/** Asks over the SSH connection until the answer is right or time is up. */
async function awaitAnswer(host: Host, container: string, options: GateOptions, probe: NonNullable<GateOptions['probe']>): Promise<void> {
  const url = `http://${options.service}:${probe.port}${probe.path}`
  const deadline = Date.now() + options.timeoutMs
  let last = 'no answer'
  while (Date.now() < deadline && !options.signal.aborted) {
    host.changed()
    const found = (await host.observe()).containers.find((candidate) => candidate.id === container)
    if (found?.state !== 'running') throw await unhealthy(host, container, options, 'exited while it was probed')
    last = found.address === undefined ? 'it has no address' : await statusOf(host, found.address, probe)
    if (last === String(probe.expectedStatus)) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw await unhealthy(
    host,
    container,
    options,
    `did not answer ${url} with ${probe.expectedStatus} within ${options.timeoutMs / 1000} s (last: ${last})`,
  )
}

async function statusOf(host: Host, address: string, probe: { readonly port: number; readonly path: string }): Promise<string> {
  let socket: Awaited<ReturnType<Host['connect']>>
  try {
    socket = await host.connect(address, probe.port)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return new Promise((resolve) => {
    const asked = request(
      { path: probe.path, headers: { host: address, connection: 'close' }, createConnection: () => socket, timeout: 5000 },
      (response) => {
        response.resume()
        resolve(String(response.statusCode))
        socket.destroy()
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
    asked.on('error', (error) => resolve(error.message))
    asked.end()
  })
}

async function unhealthy(host: Host, container: string, options: GateOptions, why: string): Promise<TaskFailure> {
  const [detail, logs] = await Promise.all([host.engine.inspect(container), host.engine.logs(container, 20)])
  const health = detail.healthLog.length > 0 ? [`last health check: ${detail.healthLog.at(-1)?.trim() ?? ''}`] : []
  return new TaskFailure({
    reason: 'unhealthy',
    subject: `${options.service} on ${host.name}`,
    message: `the new container of ${options.service} on ${host.name} ${why}`,
    output: [...logs, ...health],
    remedy: 'mend the image or its configuration and deploy again; the version that ran before still serves',
  })
}
