/** The native driver, step by step: new containers up, behind the gate, before or after old ones go. */

import { faultPoint } from '../fault-point.ts'
import type { Container } from '../ports.ts'
import { create } from './compose.ts'
import { awaitListing, refuseToLoseData, removeContainer } from './containers.ts'
import { type RolloutPlan, rolloutPlan, type ServiceState } from './decide.ts'
import { startAndAwait } from './gate.ts'
import { gateOptions, type Rolling, restartPolicy } from './params.ts'
import { type Routing, routingOf } from './routing.ts'
import type { Swap } from './swap.ts'
import { type Done, undo } from './undo.ts'
import { type Vigil, vigilOver } from './vigil.ts'

/** @returns what it changed. @throws TaskFailure after everything it did was undone: what ran before serves on. */
export async function replace(rolling: Rolling, before: ServiceState): Promise<Swap> {
  const { params, wanted } = rolling
  const plan = rolloutPlan(wanted, before)
  if (!params.ownCode) await refuseToLoseData(rolling, [...plan.replace, ...plan.remove])
  const done = await carryOut(rolling, plan, before.ready)
  // Stopped ones of another hash stay for a rollback; those of this hash would look like a failure of it.
  const superfluous = plan.replace.filter((container) => container.hash === wanted.hash)
  faultPoint('surplus-leaving', rolling.context)
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
  const { params } = rolling
  for (const container of plan.remove) await removeContainer(rolling, container)
  if (plan.remove.length > 0) rolling.host.changed()
  const done: Done = { started: [], stopped: [], renamed: [], before: [...ready, ...plan.replace] }
  const steps = new Steps(rolling, done)
  const kept = ready.filter((container) => !plan.surplus.includes(container))
  try {
    const waiting = [...plan.replace]
    await steps.routing?.prepare(waiting)
    if (params.order === 'stop-first') for (const container of waiting.splice(0)) await stop(rolling, container, done)
    const made = plan.create > 0 ? await create(rolling, plan.create) : []
    faultPoint('container-created', rolling.context)
    const fresh = [...plan.adopt, ...made]
    for (let first = 0; first < fresh.length; first += params.surge) {
      const started = await steps.start(fresh.slice(first, first + params.surge), `of ${fresh.length}`)
      kept.push(...started)
      const leaving = waiting.splice(0, started.length)
      await steps.routing?.serve([...kept, ...waiting], started)
      faultPoint('container-routed', rolling.context)
      await steps.retire(leaving)
    }
    const left = [...waiting, ...plan.surplus]
    if (left.length > 0) await steps.routing?.serve(kept)
    await steps.retire(left)
    await steps.vigil.check()
  } catch (error) {
    await steps.turnBack()
    // Whoever fell is the reason, whatever was under way when it did.
    const reason = await steps.vigil.reason(error)
    await undo(rolling, done)
    throw reason
  } finally {
    steps.vigil.close()
  }
  return done
}

/** What is done again and again while containers are replaced. */
class Steps {
  readonly routing: Routing | undefined
  readonly vigil: Vigil
  readonly #rolling: Rolling
  readonly #done: Done
  #ready = 0
  #hasTurned = false

  constructor(rolling: Rolling, done: Done) {
    this.#rolling = rolling
    this.#done = done
    this.vigil = vigilOver(rolling)
    this.routing = routingOf(rolling)
  }

  /** All at once. @throws the first failure, once none of them is under way any more. */
  async start(containers: readonly Container[], ofAll: string): Promise<readonly Container[]> {
    if (this.#ready === 0) await this.vigil.listen()
    const ends = await Promise.allSettled(containers.map((container) => start(this.#rolling, container, this.#done)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    for (const { id } of containers) {
      this.vigil.watch(id)
      this.#ready += 1
      this.#rolling.context.log(`container ${this.#ready} ${ofAll} is ready`)
    }
    return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  }

  /** Who has fallen has users waiting at the proxy: they are sent to the old ones that still run before anything is looked into. */
  async turnBack(): Promise<void> {
    const stopped = new Set(this.#done.stopped.map(({ id }) => id))
    const serving = this.#done.before.filter(({ id }) => !stopped.has(id))
    if (!this.vigil.fallen.aborted || this.#hasTurned || serving.length === 0) return
    this.#hasTurned = true
    // What cannot be done now is tried again, and told, when all is undone.
    await this.#rolling.context.guard().then(
      () => this.routing?.restore(serving).catch(() => {}),
      () => {},
    )
  }

  /** None goes while what takes its place does not stand. */
  async retire(containers: readonly Container[]): Promise<void> {
    await Promise.all(containers.map(async (container) => this.routing?.retire(container, this.vigil.fallen)))
    faultPoint('container-drained', this.#rolling.context)
    await this.turnBack()
    for (const container of containers) {
      await this.vigil.check()
      await stop(this.#rolling, container, this.#done)
    }
  }
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
  faultPoint('container-gated', context)
  if (params.restart.name !== 'no') await host.engine.setRestartPolicy(container.id, restartPolicy(params))
  faultPoint('container-settled', context)
  return containerName === undefined ? container : { ...container, name: containerName }
}

async function stop({ host, params, context }: Rolling, container: Container, done: Done): Promise<void> {
  await context.guard()
  context.log(`stopping ${container.name}`)
  // Noted first: a stop that seems to fail may have worked.
  done.stopped.push(container)
  await host.engine.stop(container.id, params.stopGraceSeconds)
  faultPoint('container-stopped', context)
}

/** Compose makes no second container of a service with a fixed name, so the file on the host fixes none: the name is given here. */
async function handOverName({ host, containerName, context }: Rolling, container: Container, done: Done): Promise<void> {
  if (containerName === undefined || container.name === containerName) return
  const holder = (await host.observe()).containers.find(({ name }) => name === containerName)
  if (holder) {
    // With its id: one that an earlier release left aside may still be there.
    await host.engine.rename(holder.id, `${containerName}-replaced-${holder.id.slice(0, 12)}`)
    done.renamed.push(holder)
    faultPoint('name-free', context)
  }
  await host.engine.rename(container.id, containerName)
}
