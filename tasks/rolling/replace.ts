/** The native driver, step by step: new containers up, behind the gate, before or after old ones go. */
import type { Container } from '../ports.ts'
import { create } from './compose.ts'
import { awaitListing, refuseToLoseData, removeContainer } from './containers.ts'
import { type RolloutPlan, rolloutPlan, type ServiceState } from './decide.ts'
import { startAndAwait } from './gate.ts'
import { gateOptions, type Rolling, restartPolicy } from './params.ts'
import { type Routing, routingOf } from './routing.ts'
import type { Swap } from './swap.ts'
import { type Done, undo } from './undo.ts'

/** @returns what it changed. @throws TaskFailure after everything it did was undone: what ran before serves on. */
export async function replace(rolling: Rolling, before: ServiceState): Promise<Swap> {
  const { params, wanted } = rolling
  const plan = rolloutPlan(wanted, before)
  if (!params.ownCode) await refuseToLoseData(rolling, [...plan.replace, ...plan.remove])
  const done = await carryOut(rolling, plan, before.ready)
  // Stopped ones of another hash stay for a rollback; those of this hash would look like a failure of it.
  const superfluous = plan.replace.filter((container) => container.hash === wanted.hash)
  for (const container of [...plan.surplus, ...superfluous]) await removeContainer(rolling, container)
  await awaitListing(rolling)
  const kept = done.stopped.filter((container) => container.hash !== wanted.hash)
  // One that took the place of another of the same definition changed nothing that could be taken back.
  return { made: done.started.slice(superfluous.length), stopped: kept.map(({ id }) => id), surplus: plan.surplus.length }
}

/**
 * Brings up what a plan adopts and makes, and stops what it replaces and what is too many; requests follow. @param ready those that serve already
 * and are as wanted. @throws TaskFailure when it was undone.
 */
export async function carryOut(rolling: Rolling, plan: RolloutPlan, ready: readonly Container[]): Promise<Done> {
  const { params, context } = rolling
  const routing = routingOf(rolling)
  for (const container of plan.remove) await removeContainer(rolling, container)
  if (plan.remove.length > 0) rolling.host.changed()
  const done: Done = { started: [], stopped: [], renamed: [], before: [...ready, ...plan.replace] }
  const kept = ready.filter((container) => !plan.surplus.includes(container))
  try {
    const waiting = [...plan.replace]
    await routing?.prepare(waiting)
    if (params.order === 'stop-first') for (const container of waiting.splice(0)) await stop(rolling, container, done)
    const made = plan.create > 0 ? await create(rolling, plan.create) : []
    const fresh = [...plan.adopt, ...made]
    for (const [index, container] of fresh.entries()) {
      const started = await start(rolling, container, done)
      kept.push(started)
      context.log(`container ${index + 1} of ${fresh.length} is ready`)
      const next = waiting.shift()
      await routing?.serve([...kept, ...waiting], started)
      if (next) await retire(rolling, routing, next, done)
    }
    const left = [...waiting, ...plan.surplus]
    if (left.length > 0) await routing?.serve(kept)
    for (const container of left) await retire(rolling, routing, container, done)
  } catch (error) {
    await undo(rolling, done)
    throw error
  }
  return done
}

async function retire(rolling: Rolling, routing: Routing | undefined, container: Container, done: Done): Promise<void> {
  await routing?.retire(container)
  await stop(rolling, container, done)
}

/** @returns it as it is called now. */
async function start(rolling: Rolling, container: Container, done: Done): Promise<Container> {
  const { host, params, context, containerName } = rolling
  done.started.push(container.id)
  await context.guard()
  await handOverName(rolling, container, done)
  // A crash must be seen by the gate, not masked by a restart; the wanted policy comes after it.
  const masked = params.restart.name === 'no' ? undefined : host.engine.setRestartPolicy(container.id, { name: 'no' })
  await startAndAwait(host, container.id, gateOptions(rolling), masked)
  if (params.restart.name !== 'no') await host.engine.setRestartPolicy(container.id, restartPolicy(params))
  return containerName === undefined ? container : { ...container, name: containerName }
}

async function stop({ host, params, context }: Rolling, container: Container, done: Done): Promise<void> {
  await context.guard()
  context.log(`stopping ${container.name}`)
  // Noted first: a stop that seems to fail may have worked.
  done.stopped.push(container)
  await host.engine.stop(container.id, params.stopGraceSeconds)
}

/** Compose makes no second container of a service with a fixed name, so the file on the host fixes none: the name is given here. */
async function handOverName({ host, containerName }: Rolling, container: Container, done: Done): Promise<void> {
  if (containerName === undefined || container.name === containerName) return
  const holder = (await host.observe()).containers.find(({ name }) => name === containerName)
  if (holder) {
    // With its id: one that an earlier release left aside may still be there.
    await host.engine.rename(holder.id, `${containerName}-replaced-${holder.id.slice(0, 12)}`)
    done.renamed.push(holder)
  }
  await host.engine.rename(container.id, containerName)
}
