/**
 * Takes a whole rollout back, after others failed: it is a rollout itself, with the containers that were kept in the place of new ones.
 * They pass the same gate, and until they have, the new ones serve.
 */

import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { Container } from '../ports.ts'
import { freshLook, removeContainer } from './containers.ts'
import { isLive, serviceState } from './decide.ts'
import type { Rolling } from './params.ts'
import { carryOut, replace } from './replace.ts'
import type { Swap } from './swap.ts'

/** @throws TaskFailure when it could not: the new containers serve on. */
export async function goBack(rolling: Rolling, { made, stopped, surplus }: Swap): Promise<void> {
  const { host, params, wanted, context } = rolling
  const own = (await freshLook(host)).filter((container) => container.service === params.service)
  const hashes = new Set(own.filter(({ id }) => stopped.includes(id)).map(({ hash }) => hash))
  if (stopped.length > 0 && hashes.size === 0) throw nothingKept(rolling)
  // A run that was cut off may have stopped some before: all of that definition served together.
  const old = own.filter(({ hash }) => hashes.has(hash))
  const leaving = own.filter(({ id, hash }) => (old.length > 0 ? hash === wanted.hash : made.includes(id)))
  const adopt = old.filter((container) => !isLive(container))
  const [first] = old
  const before = first ? { ...wanted, hash: first.hash, replicas: old.length } : { ...wanted, replicas: 0 }
  await carryOut(
    { ...rolling, wanted: before },
    { remove: [], adopt, create: 0, surplus: [], replace: leaving.filter(isLive) },
    old.filter(isLive),
  )
  faultPoint('undo-served', context)
  for (const container of leaving) await removeContainer(rolling, container)
  host.changed()
  if (old.length === 0 && surplus > 0) await makeAgain(rolling, surplus)
  context.log(told(params.service, host.name, old, surplus))
}

/** They were of a definition that has not changed, so the Compose file that is there now makes them. */
async function makeAgain(rolling: Rolling, count: number): Promise<void> {
  const { ready } = serviceState(rolling.wanted, await freshLook(rolling.host))
  const wanted = { ...rolling.wanted, replicas: ready.length + count }
  await replace({ ...rolling, wanted }, serviceState(wanted, await freshLook(rolling.host)))
}

function told(service: string, host: string, old: readonly Container[], surplus: number): string {
  if (old.length > 0) return `${service} on ${host} runs again what it ran before`
  return surplus > 0 ? `${service} on ${host} has its containers again` : `${service} is gone from ${host}, where it was not before`
}

function nothingKept({ params, host }: Rolling): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `${params.service} on ${host.name}`,
    message: `the containers that ${params.service} had on ${host.name} before are gone: the new ones serve on`,
    remedy: 'deploy again, or deploy the version before',
  })
}
