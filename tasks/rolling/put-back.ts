/**
 * Brings a service back to the containers it had before a run that is over, whatever has become of it since: a rollout with the kept
 * containers in the place of new ones. What serves goes on serving until they have passed the gate.
 */
import { TaskFailure } from '../kind.ts'
import type { Container, HostPicture } from '../ports.ts'
import { freshLook, removeContainer } from './containers.ts'
import { isLive, serviceState } from './decide.ts'
import type { Rolling } from './params.ts'
import { carryOut, replace } from './replace.ts'

export type Kept = HostPicture['containers']

export interface WayBack {
  /** Those that are to serve. */
  readonly keep: readonly Container[]
  /** Those that are to go. */
  readonly leaving: readonly Container[]
  /** How many there were that are gone, of a definition of which others are there. */
  readonly missing: number
}

/**
 * Ids first; a container that was made again of the same definition does as well. Pure.
 * @returns undefined when none of them is there any more.
 */
export function wayBack(before: Kept, own: readonly Container[]): WayBack | undefined {
  const ids = new Set(before.map(({ id }) => id))
  const hashes = new Set(before.map(({ hash }) => hash))
  const same = own.filter(({ id, hash }) => ids.has(id) || hashes.has(hash))
  if (before.length > 0 && same.length === 0) return undefined
  const rank = ({ id, state }: Container) => (ids.has(id) ? 0 : state === 'running' ? 1 : 2)
  const keep = [...same].sort((a, b) => rank(a) - rank(b)).slice(0, before.length)
  const leaving = own.filter((container) => !keep.includes(container))
  return { keep, leaving, missing: before.length - keep.length }
}

/** @returns false when all was so already. @throws TaskFailure when it could not: what served serves on. */
export async function putBack(rolling: Omit<Rolling, 'wanted'>, picture: HostPicture): Promise<boolean> {
  const { host, params, context } = rolling
  const { service } = params
  // Nobody had it running: what runs now is no worse.
  if (picture.down.includes(service)) return false
  const before = picture.containers.filter((container) => container.service === service)
  const own = (await freshLook(host)).filter((container) => container.service === service)
  const way = wayBack(before, own)
  if (way === undefined) throw nothingKept(service, host.name)
  const { keep, leaving, missing } = way
  const adopt = keep.filter((container) => !isServing(container))
  if (adopt.length + leaving.filter(isLive).length + missing === 0) return false
  const [first] = before
  const wanted = { service, hash: first?.hash ?? '', replicas: keep.length }
  const named = { ...rolling, ...nameBefore(before, keep), wanted }
  await carryOut(named, { remove: [], adopt, create: 0, surplus: [], replace: leaving.filter(isLive) }, keep.filter(isServing))
  for (const container of leaving) await removeContainer(named, container)
  host.changed()
  if (missing > 0) await makeMissing(named, before.length)
  context.log(
    before.length > 0
      ? `${service} on ${host.name} runs again what it ran before`
      : `${service} is gone from ${host.name}, where it was not before`,
  )
  return true
}

async function makeMissing(rolling: Rolling, replicas: number): Promise<void> {
  const wanted = { ...rolling.wanted, replicas }
  await replace({ ...rolling, wanted }, serviceState(wanted, await freshLook(rolling.host)))
}

function isServing({ state, health }: Container): boolean {
  return state === 'running' && (health === 'healthy' || health === 'none')
}

/** Its one container was set aside under another name while a new one took its place. */
function nameBefore([first, ...others]: Kept, keep: readonly Container[]): { readonly containerName?: string } {
  if (first === undefined || others.length > 0) return {}
  const [now] = keep
  return now !== undefined && now.id === first.id && now.name !== first.name ? { containerName: first.name } : {}
}

function nothingKept(service: string, host: string): TaskFailure {
  return new TaskFailure({
    reason: 'refused',
    subject: `${service} on ${host}`,
    message: `the containers that ${service} had on ${host} before the run that was cut off are gone: it stays as it is`,
    remedy: 'deploy again, or go back to a release: `stagecraft rollback`',
  })
}
