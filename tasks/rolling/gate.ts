/**
 * The health gate: a started container is ready when the engine says so, not after a sleep. Subscribed before the start,
 * so no event is missed; fails at once when the container dies, runs out of memory or turns unhealthy.
 */

import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { ContainerDetail, Host } from '../ports.ts'
import { notReady, type Verdict, watchContainer } from './watch-container.ts'

export interface GateOptions {
  readonly service: string
  readonly timeoutMs: number
  /** How long a container without a healthcheck (neither Compose's nor the image's) must stay up. */
  readonly minReadyMs: number
  /** How long one that has become healthy must stay so; default 0. */
  readonly steadyMs?: number
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
    await startIt(host, container)
    faultPoint('container-started')
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
    if (verdict !== 'ready') return verdict
    if (now.health !== 'none') return await watch.staysReady(options.steadyMs ?? 0, options.signal)
    // Only time spoke for it, so it is looked at once more.
    const then = await host.engine.inspect(container)
    return verdictOf(then) ?? (then.restartCount > now.restartCount ? { why: exitText(then) } : 'ready')
  } finally {
    subscription.close()
  }
}

/** What the Engine finds wrong with it only now, such as a program that the image does not have, is told when it is looked at. */
async function startIt(host: Host, container: string): Promise<void> {
  try {
    await host.engine.start(container)
  } catch (error) {
    const isRefused = error instanceof TaskFailure && error.failure.reason === 'refused'
    const detail = isRefused ? await host.engine.inspect(container).catch(() => undefined) : undefined
    if (detail === undefined || detail.state === 'running' || detail.error === '') throw error
  }
}

/** What a look at it already decides. */
function verdictOf(detail: ContainerDetail): Verdict | undefined {
  if (detail.state !== 'running') return { why: exitText(detail) }
  if (detail.health === 'healthy') return 'ready'
  return detail.health === 'unhealthy' ? { why: 'is unhealthy' } : undefined
}

function exitText(detail: ContainerDetail): string {
  if (detail.oomKilled) return 'ran out of memory'
  if (detail.error !== '') return `did not start: ${withoutRuntime(detail.error)}`
  return `exited with code ${detail.exitCode}`
}

/** Container runtimes put what went wrong behind every step that led there. */
function withoutRuntime(error: string): string {
  return error.replace(/^.*unable to start container process: (error during container init: )?/, '').replace(/: unknown$/, '')
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

/** What a person needs to know of a container that is not as it should be: what it said last, and what its health check said. */
export async function unhealthy(
  host: Host,
  container: string,
  options: Pick<GateOptions, 'service' | 'signal'>,
  why: string,
): Promise<TaskFailure> {
  const subject = `${options.service} on ${host.name}`
  if (options.signal.aborted) {
    return new TaskFailure({ reason: 'interrupted', subject, message: `the new container of ${subject} was interrupted` })
  }
  // What went wrong is known; a host that no longer answers must not hide it.
  const [detail, logs] = await Promise.all([
    host.engine.inspect(container).catch(() => undefined),
    host.engine.logs(container, 20).catch((): readonly string[] => []),
  ])
  // An exit by the kernel's hand is told twice, and in either order.
  const told = detail?.oomKilled === true ? why.replace(/exited with code \d+/, 'ran out of memory') : why
  const lastCheck = detail?.healthLog.at(-1)
  return new TaskFailure({
    reason: 'unhealthy',
    subject,
    message: `the new container of ${subject} ${told}`,
    output: [...logs, ...(lastCheck === undefined ? [] : [`last health check: ${lastCheck.trim()}`])],
    remedy: remedyOf(told, options),
  })
}

function remedyOf(why: string, { service }: Pick<GateOptions, 'service'>): string {
  if (/port is already allocated|address already in use/.test(why))
    return 'something else on the host has the port: `docker ps`, `ss -ltnp`'
  if (why.includes('executable file not found')) return `mend the command of ${service}: its image does not have that program`
  if (why.includes('ran out of memory')) return `give ${service} more memory (\`mem_limit\`) or let it use less, and deploy again`
  return 'mend the image or its configuration and deploy again'
}
