/** Takes back what a rollout did. Every step is tried, whatever became of the one before; what fails is told, the first error stays the one reported. */

import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { Container } from '../ports.ts'
import { freshLook } from './containers.ts'
import { serviceState } from './decide.ts'
import { startAndAwait } from './gate.ts'
import { gateOptions, type Rolling } from './params.ts'
import { routingOf } from './routing.ts'

/** What was done so far. */
export interface Done {
  /** Ids of new containers that were started, or were about to be. */
  readonly started: string[]
  readonly stopped: Container[]
  /** As they were called before. */
  readonly renamed: Container[]
  /** Those that got requests, or may have, before anything was done. */
  readonly before: readonly Container[]
}

/** Never throws. */
export async function undo(rolling: Rolling, done: Done): Promise<void> {
  const { host, params, context } = rolling
  const tried = { failed: 0 }
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      tried.failed += 1
      context.log(`undoing: ${error instanceof Error ? error.message : String(error)}`)
      return undefined
    }
  }

  if (!(await mayWrite(rolling))) return
  faultPoint('undo-begun', context)
  const made = (await attempt(() => newContainers(rolling, done))) ?? []
  const startAgain = async () => {
    for (const container of done.stopped) await attempt(() => revive(rolling, container))
  }
  const removeNew = async () => {
    for (const container of made) await attempt(() => host.engine.remove(container.id))
    for (const { id, name } of done.renamed) await attempt(() => host.engine.rename(id, name))
  }
  const routeBack = async () => {
    await attempt(async () => routingOf(rolling)?.restore(done.before))
  }
  // Requests go back to old ones as soon as they run, and before a new one goes.
  const steps = params.order === 'start-first' ? [startAgain, routeBack, removeNew] : [removeNew, startAgain, routeBack]
  for (const step of steps) await step()
  if (made.length + done.stopped.length === 0 && tried.failed === 0) return
  const outcome = tried.failed === 0 ? 'undone' : `undone but for ${tried.failed} steps that failed`
  context.log(`${outcome}: ${made.length} new removed, ${done.stopped.length} old started again`)
}

/** A lost lock means that another run decides now. Any other trouble with it, such as another host out of reach, must not keep the old version down. */
async function mayWrite({ context }: Rolling): Promise<boolean> {
  try {
    await context.guard()
    return true
  } catch (error) {
    const isLost = error instanceof TaskFailure && error.failure.reason === 'lock-lost'
    if (isLost) context.log('not undone: another run holds the lock now')
    return !isLost
  }
}

async function newContainers({ host, wanted }: Rolling, { started }: Done): Promise<readonly Container[]> {
  const state = serviceState(wanted, await freshLook(host))
  const same = [...state.ready, ...state.adoptable, ...state.broken]
  return same.filter((container) => started.includes(container.id) || container.state === 'created')
}

/** Where old and new can run side by side, the new ones only go once the old one serves again. */
async function revive(rolling: Rolling, { id }: Container): Promise<void> {
  const { host, params } = rolling
  if (params.order === 'stop-first') return host.engine.start(id)
  const { service, timeoutMs, minReadyMs } = gateOptions(rolling)
  await startAndAwait(host, id, { service, timeoutMs, minReadyMs, signal: new AbortController().signal })
}
