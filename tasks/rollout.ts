/**
 * Rolls one service on one host: makes the new containers through Compose without starting them, starts each under the
 * health gate, then stops what it replaces. Any failure undoes this task's own steps, so the old version serves on.
 * Containers are identified by the content hash of their definition, never by a version or a count that happens to run.
 */
import { z } from 'zod'
import type { ActionResult, Json, TaskId } from '../graph/types.ts'
import { defineTask, type TaskContext, TaskFailure } from './kind.ts'
import type { Container, Host, RestartPolicy } from './ports.ts'
import { drift, type RolloutPlan, rolloutPlan, serviceState, type Wanted } from './rolling/decide.ts'
import { type GateOptions, startAndAwait } from './rolling/gate.ts'

const params = z.strictObject({
  service: z.string(),
  host: z.string(),
  composeProject: z.string(),
  directory: z.string(),
  render: z.string(),
  replicas: z.number().int().min(0),
  driver: z.enum(['native', 'recreate']),
  order: z.enum(['start-first', 'stop-first']),
  /** Why it is stop-first, for the plan. */
  orderReason: z.string().nullable(),
  /** True when the image is built from this project: its containers keep nothing of their own. */
  ownCode: z.boolean(),
  containerName: z.string().nullable(),
  restart: z.strictObject({ name: z.enum(['no', 'always', 'unless-stopped', 'on-failure']), maximumRetryCount: z.number().int() }),
  timeoutSeconds: z.number(),
  minReadySeconds: z.number(),
  stopGraceSeconds: z.number(),
  probe: z.strictObject({ port: z.number(), path: z.string(), expectedStatus: z.number() }).nullable(),
})
export type RolloutParams = z.infer<typeof params>

/** Making a container is the host's own disk work; a minute is a sick host. */
const composeTimeoutMs = 120_000

export const rollout = defineTask<RolloutParams>({
  name: 'rollout',
  version: 1,
  summary: 'replaces the containers of one service on one host, health-gated, without a gap',
  freshness: 'effect',
  phase: 'rollout',
  pool: 'host',
  exclusive: true,
  params,
  title: ({ service, host, order }) => `roll ${service} on ${host}${order === 'stop-first' ? ' (stop-first)' : ''}`,
  select: ({ service }, _need, result) => wantedService(result, service) as unknown as Json,
  async observe(params, context) {
    const { wanted, image } = desired(params, context)
    const host = context.ports.host(params.host)
    const seen = await host.observe()
    const state = serviceState(wanted, seen.containers)
    const found = drift(wanted, state) ?? (seen.lock ? await unsettled(params, host, state.ready) : undefined)
    if (found !== undefined)
      return {
        fresh: false,
        because: { reason: state.ready.length === 0 && found.startsWith('not on') ? 'absent' : 'drift', detail: found },
      }
    return { fresh: true, result: resultOf(wanted, image), detail: `${wanted.replicas} running and healthy` }
  },
  async run(params, context) {
    const { wanted, image, bundle } = desired(params, context)
    const host = context.ports.host(params.host)
    await pullImage(host, image, context)
    const before = serviceState(wanted, (await host.observe()).containers)
    try {
      if (params.driver === 'recreate') await recreate(host, params, wanted, bundle, context)
      else await replace(host, params, wanted, rolloutPlan(wanted, before), bundle, context)
    } finally {
      host.changed()
    }
    return resultOf(wanted, image)
  },
})

/** The native driver, step by step. */
async function replace(
  host: Host,
  params: RolloutParams,
  wanted: Wanted,
  plan: RolloutPlan,
  bundle: string,
  context: TaskContext,
): Promise<void> {
  const started: string[] = []
  const stopped: Container[] = []
  const stop = async (container: Container) => {
    await context.guard()
    context.log(`stopping ${container.name}`)
    await host.engine.stop(container.id, params.stopGraceSeconds)
    stopped.push(container)
  }
  if (!params.ownCode) await refuseToLoseData(host, [...plan.replace, ...plan.remove], params)
  for (const container of plan.remove) await removeContainer(host, container, context)
  const waiting = [...plan.replace]
  let renamed: { container: Container; name: string } | undefined
  try {
    if (params.order === 'stop-first') for (const container of waiting.splice(0)) await stop(container)
    const holder = params.containerName === null ? undefined : plan.replace.find((container) => container.name === params.containerName)
    if (holder) {
      await host.engine.rename(holder.id, `${holder.name}-replaced`)
      renamed = { container: holder, name: holder.name }
    }
    const made = plan.create > 0 ? await create(host, params, wanted, plan.create, bundle, context) : []
    for (const id of [...plan.adopt.map((container) => container.id), ...made.map((container) => container.id)]) {
      started.push(id)
      await context.guard()
      // A crash must be seen by the gate, not masked by a restart; the wanted policy comes after it.
      if (params.restart.name !== 'no') await host.engine.setRestartPolicy(id, { name: 'no' })
      await startAndAwait(host, id, gate(params, context))
      if (params.restart.name !== 'no') await host.engine.setRestartPolicy(id, restartPolicy(params))
      context.log(`container ${started.length} of ${plan.adopt.length + made.length} is ready`)
      const next = waiting.shift()
      if (next) await stop(next)
    }
    for (const container of [...waiting, ...plan.surplus]) await stop(container)
    for (const container of plan.surplus) await removeContainer(host, container, context)
    await awaitListing(host, wanted)
  } catch (error) {
    await undo(host, wanted, started, stopped, renamed, context)
    throw error
  }
}

/** The engine answers a stop a moment before its listing shows it; the next task must not see a container that is gone. */
async function awaitListing(host: Host, wanted: Wanted): Promise<void> {
  for (let look = 0; look < 10; look++) {
    if (drift(wanted, serviceState(wanted, await freshLook(host))) === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 50 * (look + 1)))
  }
}

/** Puts back what this task stopped and removes what it made; the first error is the one that is reported. */
async function undo(
  host: Host,
  wanted: Wanted,
  started: readonly string[],
  stopped: readonly Container[],
  renamed: { container: Container; name: string } | undefined,
  context: TaskContext,
): Promise<void> {
  try {
    host.changed()
    const state = serviceState(wanted, (await host.observe()).containers)
    const made = [...state.ready, ...state.adoptable, ...state.broken].filter(
      (container) => started.includes(container.id) || container.state === 'created',
    )
    await context.guard()
    for (const container of made) await host.engine.remove(container.id)
    if (renamed) await host.engine.rename(renamed.container.id, renamed.name)
    for (const container of stopped) await host.engine.start(container.id)
    if (made.length > 0 || stopped.length > 0) context.log(`undone: ${made.length} new removed, ${stopped.length} old started again`)
  } catch (error) {
    context.log(`undoing failed too: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** For what Compose itself must replace, such as anonymous volumes it carries over. Not undone. */
async function recreate(host: Host, params: RolloutParams, wanted: Wanted, bundle: string, context: TaskContext): Promise<void> {
  await context.guard()
  await compose(
    host,
    params,
    bundle,
    ['up', '--detach', '--no-deps', '--scale', `${params.service}=${wanted.replicas}`, params.service],
    context,
  )
  host.changed()
  const state = serviceState(wanted, (await host.observe()).containers)
  for (const container of [...state.ready, ...state.adoptable, ...state.broken])
    await startAndAwait(host, container.id, gate(params, context))
}

/** Makes `count` new containers, not started, beside whatever is there. */
async function create(
  host: Host,
  params: RolloutParams,
  wanted: Wanted,
  count: number,
  bundle: string,
  context: TaskContext,
): Promise<readonly Container[]> {
  const before = (await freshLook(host)).filter((container) => container.service === params.service)
  await context.guard()
  const scale = `${params.service}=${before.length + count}`
  await compose(host, params, bundle, ['up', '--no-start', '--no-recreate', '--no-deps', '--scale', scale, params.service], context)
  const known = new Set(before.map((container) => container.id))
  const made = (await freshLook(host)).filter(
    (container) => container.service === params.service && container.hash === wanted.hash && !known.has(container.id),
  )
  if (made.length !== count) {
    throw new TaskFailure({
      reason: 'missing-output',
      subject: `${params.service} on ${host.name}`,
      message: `docker compose on ${host.name} made ${made.length} new containers of ${params.service}, ${count} were wanted`,
      remedy: 'look at `docker compose ls` and `docker ps -a` on the host; another tool may use the same project name',
    })
  }
  return made
}

/** What the login shell of the host exports would win over the bundle's `.env`, so Compose gets none of it. */
const cleanEnvironment = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin'] as const

/** Two Compose processes of one project would race for its networks and for container numbers. */
const composing = new WeakMap<Host, Promise<void>>()

function compose(host: Host, params: RolloutParams, bundle: string, rest: readonly string[], context: TaskContext): Promise<void> {
  const turn = (composing.get(host) ?? Promise.resolve()).then(() => runCompose(host, params, bundle, rest, context))
  composing.set(
    host,
    turn.catch(() => {}),
  )
  return turn
}

async function runCompose(host: Host, params: RolloutParams, bundle: string, rest: readonly string[], context: TaskContext): Promise<void> {
  const file = `${params.directory}/bundles/${bundle}/docker-compose.yml`
  const argv = [...cleanEnvironment, 'docker', 'compose', '--project-name', params.composeProject, '--file', file, ...rest] as const
  const exit = await host.run({ argv: [...argv] as [string, ...string[]], timeoutMs: composeTimeoutMs }, (line) => context.log(line))
  if (exit.code === 0) return
  throw new TaskFailure({
    reason: 'exit',
    subject: `${params.service} on ${host.name}`,
    message: `docker compose ${rest[0]} on ${host.name} ended with code ${exit.code}`,
    output: `${exit.stdout}\n${exit.stderr}`
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-20),
    remedy: exit.stderr.includes('is not a docker command')
      ? `install Docker Compose v2 on ${host.name}`
      : `run it by hand on ${host.name}: docker compose -f ${file} config`,
  })
}

async function pullImage(host: Host, image: string, context: TaskContext): Promise<void> {
  if (await host.engine.hasImage(image)) return
  await context.guard()
  context.log(`pulling ${image}`)
  await host.engine.pull(image, await context.ports.registry.credentials(image), (line) => context.log(line))
}

async function refuseToLoseData(host: Host, containers: readonly Container[], params: RolloutParams): Promise<void> {
  for (const container of containers) {
    const { anonymousVolumes } = await host.engine.inspect(container.id)
    if (anonymousVolumes.length === 0) continue
    throw new TaskFailure({
      reason: 'refused',
      subject: `${params.service} on ${host.name}`,
      message: `${container.name} keeps data in a volume without a name (${anonymousVolumes.join(', ')}), which a new container would not see`,
      remedy: `declare a named volume for it in the Compose file, or set services.${params.service}.rollout.driver to recreate`,
    })
  }
}

async function removeContainer(host: Host, container: Container, context: TaskContext): Promise<void> {
  await context.guard()
  context.log(`removing ${container.name}`)
  await host.engine.remove(container.id)
}

/** A run that was cut off between the gate and the restart policy leaves a healthy container that would not survive a reboot. */
async function unsettled(params: RolloutParams, host: Host, containers: readonly Container[]): Promise<string | undefined> {
  for (const container of containers) {
    const detail = await host.engine.inspect(container.id)
    if (detail.restartPolicy !== params.restart.name)
      return `${container.name} has restart policy ${detail.restartPolicy}, not ${params.restart.name}`
  }
  return undefined
}

async function freshLook(host: Host): Promise<readonly Container[]> {
  host.changed()
  return (await host.observe()).containers
}

function desired(params: RolloutParams, context: TaskContext): { wanted: Wanted; image: string; bundle: string } {
  const rendered = context.needs.get(params.render as TaskId)
  if (!rendered) throw new Error(`${context.id} has no result of ${params.render}`)
  const { hash, image } = wantedService(rendered, params.service)
  return { wanted: { service: params.service, hash, replicas: params.replicas }, image, bundle: String(rendered.values['bundle']) }
}

function wantedService(rendered: ActionResult, service: string): { hash: string; image: string } {
  const services = rendered.values['services'] as Readonly<Record<string, { hash: string; image: string }>>
  const found = services[service]
  if (!found) throw new Error(`the rendered file has no service ${service}`)
  return { hash: found.hash, image: found.image }
}

function gate(params: RolloutParams, context: TaskContext): GateOptions {
  return {
    service: params.service,
    timeoutMs: params.timeoutSeconds * 1000,
    minReadyMs: params.minReadySeconds * 1000,
    ...(params.probe ? { probe: params.probe } : {}),
    signal: context.signal,
  }
}

function restartPolicy(params: RolloutParams): RestartPolicy {
  const { name, maximumRetryCount } = params.restart
  return name === 'on-failure' ? { name, maximumRetryCount } : { name }
}

function resultOf(wanted: Wanted, image: string): ActionResult {
  return { files: {}, values: { service: wanted.service, hash: wanted.hash, image, replicas: wanted.replicas } }
}
