/** `stagecraft restart`: the containers that run, one after another, each behind the health gate. No release, and no new container. */

import { TaskFailure } from '../../../tasks/kind.ts'
import { type GateOptions, startAndAwait } from '../../../tasks/rolling/gate.ts'
import type { ActNote } from '../../audit/acts.ts'
import type { AuditEntry } from '../../audit/chain.ts'
import { type App, type ExitCode, exitCodes, type Service } from '../../contracts.ts'
import { environmentLock } from '../../session/environment-lock.ts'
import type { Replica } from '../exec/replica.ts'
import type { Fleet } from '../fleet.ts'
import { shortContainer } from '../logs/line-text.ts'
import { edgeTraffic, type Traffic } from './edge-traffic.ts'
import { type HostLook, type RestartPlan, restartPlan } from './order.ts'

export interface RestartOptions {
  readonly services: readonly string[]
  /** Also where nobody serves meanwhile. */
  readonly yes: boolean
  readonly dryRun: boolean
  /** Told what was done, while the lock is held. */
  readonly note?: ActNote
}

/**
 * Under the environment's lock on the selected hosts. The first container that does not come back ends it: the others were not touched.
 * @throws TaskFailure for a held lock, a host that does not answer, a service that would be interrupted, and what is not healthy again.
 */
export async function runRestart(fleet: Fleet, options: RestartOptions, app: App): Promise<ExitCode> {
  const say = (line: string) => void app.stderr.write(`${line}\n`)
  if (options.dryRun) {
    const plan = restartPlan(await look(fleet), options.services)
    app.stdout.write(plan.steps.map((step) => `restart ${nameOf(fleet, step)}\n`).join(''))
    for (const { service, replica } of plan.interruptions) say(`${service} is served by ${nameOf(fleet, replica)} alone: needs \`--yes\``)
    return exitCodes.done
  }
  const lock = environmentLock(
    fleet.hosts.map(({ name }) => fleet.lockable(name)),
    async () => {},
  )
  let isHeld = false
  let result: AuditEntry['result'] = 'failed'
  try {
    await lock.hold()
    isHeld = true
    const traffic = edgeTraffic(fleet, { guard: () => lock.verify(), log: say })
    const plan = restartPlan(await look(fleet), options.services)
    refuse(fleet, plan, options)
    for (const [index, step] of plan.steps.entries()) {
      app.signal.throwIfAborted()
      await restartOne(fleet, step, traffic, lock)
      say(`${nameOf(fleet, step)} is ready again (${index + 1} of ${plan.steps.length})`)
    }
    result = 'done'
  } finally {
    const what = `restart ${options.services.join(' ')}`
    if (isHeld) await options.note?.({ what, result: app.signal.aborted && result === 'failed' ? 'interrupted' : result })
    await lock.release()
  }
  return exitCodes.done
}

type Lock = ReturnType<typeof environmentLock>

async function restartOne(fleet: Fleet, step: Replica, traffic: Traffic, lock: Lock): Promise<void> {
  const service = fleet.deployment.services.find(({ name }) => name === step.container.service)
  if (service === undefined) throw new Error(`no service is called ${step.container.service}`)
  const host = fleet.host(step.host)
  await lock.verify()
  try {
    await traffic.leave(step)
    await fleet.operator(step.host).restart(step.container.id, service.rollout.stopGraceSeconds)
    await startAndAwait(host, step.container.id, gate(service))
    host.changed()
    await traffic.join(step)
  } catch (error) {
    const isOut = await traffic.abandon(step)
    throw restartFailure(error, nameOf(fleet, step), isOut ? fleet.deployment.environment : undefined)
  }
}

/** An interrupt ends the restart between two containers, not while one is down. */
function gate({ name, rollout, health }: Service): GateOptions {
  return {
    service: name,
    timeoutMs: rollout.timeoutSeconds * 1000,
    minReadyMs: rollout.minReadySeconds * 1000,
    steadyMs: (rollout.steadySeconds ?? 0) * 1000,
    ...(health && { probe: health }),
    signal: new AbortController().signal,
  }
}

/** All hosts of the environment are looked at: what serves elsewhere serves. One that is not to be touched may be out of reach. */
async function look(fleet: Fleet): Promise<readonly HostLook[]> {
  const selected = new Set(fleet.hosts.map(({ name }) => name))
  const looks = await Promise.all(
    fleet.deployment.hosts.map(async ({ name }): Promise<HostLook[]> => {
      const isSelected = selected.has(name)
      try {
        return [{ host: name, containers: (await fleet.host(name).observe()).containers, isSelected }]
      } catch (error) {
        if (isSelected || !(error instanceof TaskFailure) || error.failure.reason === 'interrupted') throw error
        return []
      }
    }),
  )
  return looks.flat()
}

function refuse(fleet: Fleet, { interruptions, absent, steps }: RestartPlan, { yes }: RestartOptions): void {
  const { environment } = fleet.deployment
  if (steps.length === 0 || absent.length > 0) {
    const message = `no container of ${absent.join(' or ')} runs on ${fleet.hosts.map(({ name }) => name).join(', ')}`
    const remedy = `start what a release wants: stagecraft deploy --env ${environment}`
    throw new TaskFailure({ reason: 'refused', subject: absent.join(', '), message, remedy })
  }
  const [first] = interruptions
  if (yes || first === undefined) return
  const alone = interruptions.map(({ service, replica }) => `${service} is served by ${nameOf(fleet, replica)} alone`).join('; ')
  throw new TaskFailure({
    reason: 'refused',
    subject: first.service,
    message: `${alone}: while it restarts, nobody serves`,
    remedy: `add \`--yes\`, or let new containers take over: stagecraft deploy --env ${environment} --force=rollout:${first.service}@*`,
  })
}

/** @param outOf the environment, when the container gets no requests any more. */
export function restartFailure(error: unknown, name: string, outOf: string | undefined): unknown {
  if (!(error instanceof TaskFailure)) return error
  const { failure } = error
  const isUnhealthy = failure.reason === 'unhealthy'
  if (!isUnhealthy && outOf === undefined) return error
  const what = isUnhealthy
    ? `${failure.message.replace('the new container of', `${name}, a container of`)} after its restart; no other was touched after it`
    : failure.message
  const message = outOf === undefined ? what : `${what}; the edge sends ${name} no requests until the next deploy`
  const back = `\`stagecraft deploy --env ${outOf}\` puts it back, or another in its place`
  const remedy = outOf === undefined ? 'it runs as it is; look at its output, or make new containers with a deploy' : back
  return new TaskFailure({ ...failure, message, remedy }, { cause: error })
}

function nameOf({ deployment }: Fleet, { host, container }: Replica): string {
  return `${host}/${shortContainer(container.name, deployment.composeProject)}`
}
