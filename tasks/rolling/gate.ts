/**
 * The health gate: a started container is ready when the engine says so, not after a sleep. Subscribed before the start,
 * so no event is missed; fails at once when the container dies, runs out of memory or turns unhealthy.
 */
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

/**
 * Starts a container and resolves once it is ready. @param before what must have come to an end before the start, while events are subscribed to.
 * @throws TaskFailure `unhealthy` with its last log lines.
 */
export async function startAndAwait(host: Host, container: string, options: GateOptions, before?: Promise<void>): Promise<void> {
  const deadline = Date.now() + options.timeoutMs
  for (;;) {
    const verdict = await startAndWatch(host, container, options, deadline, before)
    // Events stopped coming: what passed meanwhile was not seen, so listen anew and look again.
    if (verdict === 'deaf' && Date.now() < deadline) continue
    if (verdict !== 'ready') throw await unhealthy(host, container, options, verdict === 'deaf' ? notReady(options) : verdict.why)
    if (options.probe) await awaitAnswer(host, container, options, options.probe)
    return
  }
}

type Verdict = 'ready' | 'deaf' | { readonly why: string }

async function startAndWatch(
  host: Host,
  container: string,
  options: GateOptions,
  deadline: number,
  before: Promise<void> | undefined,
): Promise<Verdict> {
  const watch = watchContainer(container)
  const subscribing = host.engine.events(watch.onEvent)
  const [ended, subscribed] = await Promise.allSettled([before, subscribing])
  if (subscribed.status === 'rejected') throw subscribed.reason
  const subscription = subscribed.value
  try {
    if (ended.status === 'rejected') throw ended.reason
    await host.engine.start(container)
    // An adopted container may have become healthy before we subscribed.
    const now = await host.engine.inspect(container)
    const told = verdictOf(now)
    if (told) watch.settle(told)
    const verdict = await watch.verdict({
      timeoutMs: options.timeoutMs,
      leftMs: deadline - Date.now(),
      ...(now.health === 'none' ? { readyAfterMs: options.minReadyMs } : {}),
      signal: options.signal,
    })
    if (verdict !== 'ready' || now.health !== 'none') return verdict
    // Only time spoke for it, so it is looked at once more.
    const then = await host.engine.inspect(container)
    return verdictOf(then) ?? (then.restartCount > now.restartCount ? { why: exitText(then) } : 'ready')
  } finally {
    subscription.close()
  }
}

/** What a look at it already decides. */
function verdictOf(detail: ContainerDetail): Verdict | undefined {
  if (detail.state !== 'running') return { why: exitText(detail) }
  if (detail.health === 'healthy') return 'ready'
  return detail.health === 'unhealthy' ? { why: 'is unhealthy' } : undefined
}

function watchContainer(container: string) {
  let settle: (verdict: Verdict) => void = () => {}
  const settled = new Promise<Verdict>((resolve) => {
    settle = resolve
  })
  const onEvent = (event: EngineEvent): void => {
    if (event.action === 'disconnected') settle('deaf')
    if (event.container !== container) return
    if (event.action === 'die') settle({ why: event.exitCode === undefined ? 'exited' : `exited with code ${event.exitCode}` })
    else if (event.action === 'oom') settle({ why: 'ran out of memory' })
    else if (event.action === 'health_status: healthy') settle('ready')
    else if (event.action === 'health_status: unhealthy') settle({ why: 'is unhealthy' })
  }
  const verdict = async (limits: { timeoutMs: number; leftMs: number; readyAfterMs?: number; signal: AbortSignal }): Promise<Verdict> => {
    const timers: NodeJS.Timeout[] = []
    const onAbort = () => settle({ why: 'was interrupted' })
    limits.signal.addEventListener('abort', onAbort, { once: true })
    if (limits.signal.aborted) onAbort()
    if (limits.readyAfterMs !== undefined) timers.push(setTimeout(() => settle('ready'), limits.readyAfterMs))
    timers.push(setTimeout(() => settle({ why: notReady(limits) }), Math.max(0, limits.leftMs)))
    try {
      return await settled
    } finally {
      for (const timer of timers) clearTimeout(timer)
      limits.signal.removeEventListener('abort', onAbort)
    }
  }
  return { onEvent, settle, verdict }
}

function notReady({ timeoutMs }: { readonly timeoutMs: number }): string {
  return `was not ready within ${timeoutMs / 1000} s`
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
  if (options.signal.aborted) throw await unhealthy(host, container, options, 'was interrupted')
  throw await unhealthy(
    host,
    container,
    options,
    `did not answer ${url} with ${probe.expectedStatus} within ${options.timeoutMs / 1000} s (last: ${last})`,
  )
}

async function statusOf(host: Host, address: string, probe: { readonly port: number; readonly path: string }): Promise<string> {
  const { request } = await import('node:http')
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
  const subject = `${options.service} on ${host.name}`
  if (options.signal.aborted) {
    return new TaskFailure({ reason: 'interrupted', subject, message: `the new container of ${subject} was interrupted` })
  }
  // What went wrong is known; a host that no longer answers must not hide it.
  const [detail, logs] = await Promise.all([
    host.engine.inspect(container).catch(() => undefined),
    host.engine.logs(container, 20).catch((): readonly string[] => []),
  ])
  const lastCheck = detail?.healthLog.at(-1)
  return new TaskFailure({
    reason: 'unhealthy',
    subject,
    message: `the new container of ${subject} ${why}`,
    output: [...logs, ...(lastCheck === undefined ? [] : [`last health check: ${lastCheck.trim()}`])],
    remedy: 'mend the image or its configuration and deploy again',
  })
}
