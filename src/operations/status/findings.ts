/** How what runs on a host differs from what the current release wants there. Pure. */

import type { Container, ContainerDetail } from '../../../tasks/ports.ts'
import { renderCount } from '../../ui/size.ts'
import type { RenderedService } from './rendered-bundle.ts'

/** A container and what a closer look at it told; nothing when it went away meanwhile. */
export interface LookedContainer extends Container {
  readonly detail?: ContainerDetail
}

export type DriftKind =
  /** Not what the release wants. */
  | 'missing'
  | 'replicas'
  | 'definition'
  | 'orphan'
  | 'left-over'
  | 'unsettled'
  /** What it wants, but not well. */
  | 'stopped'
  | 'exited'
  | 'not-started'
  | 'paused'
  | 'restarting'
  | 'starting'
  | 'unhealthy'

export interface Drift {
  readonly kind: DriftKind
  /** A sentence fragment without times: the same as long as nothing changes. */
  readonly detail: string
}

/** A container that was restarted this recently may be about to be again. */
const restingMs = 10 * 60_000

export interface Circumstances {
  /** By a clock about as right as the host's. */
  readonly nowMs: number
  /** A run is at work: what is half done is not left half done. */
  readonly isDeploying: boolean
}

/** @param wanted undefined for a service the release does not have. */
export function findDrift(
  wanted: RenderedService | undefined,
  containers: readonly LookedContainer[],
  around: Circumstances,
): readonly Drift[] {
  if (wanted === undefined) {
    return containers.map(({ name, state }) => ({ kind: 'orphan', detail: `${name} (${state}) belongs to no service of the release` }))
  }
  const same = containers.filter(({ hash }) => hash === wanted.hash)
  const other = containers.filter(({ hash }) => hash !== wanted.hash)
  const running = same.filter(({ state }) => state === 'running')
  const found: Drift[] = []
  if (containers.length === 0 && wanted.replicas > 0) {
    return [{ kind: 'missing', detail: `no container of ${wanted.name} is there: ${renderCount(wanted.replicas, 'is', 'are')} wanted` }]
  }
  if (running.length !== wanted.replicas) found.push({ kind: 'replicas', detail: replicasText(running.length, wanted.replicas) })
  for (const container of other) found.push(outdated(container))
  for (const container of same) found.push(...troubles(container, wanted, around))
  return found
}

function replicasText(running: number, wanted: number): string {
  if (running > wanted) return `${renderCount(running, 'replica runs', 'replicas run')}, ${wanted} ${wanted === 1 ? 'is' : 'are'} wanted`
  return `${running} of ${renderCount(wanted, 'replica')} ${running === 1 ? 'runs' : 'run'}`
}

function outdated({ name, state }: Container): Drift {
  if (isLive(state)) return { kind: 'definition', detail: `${name} runs another definition than the release` }
  return { kind: 'left-over', detail: `${name} (${state}) is left of another release` }
}

function troubles(container: LookedContainer, wanted: RenderedService, around: Circumstances): readonly Drift[] {
  const { name, state, health, detail } = container
  switch (state) {
    case 'running':
      return [
        ...restarts(container, around.nowMs),
        ...(health === 'unhealthy' || health === 'starting'
          ? [{ kind: health, detail: health === 'unhealthy' ? `${name} is unhealthy` : `${name} has not been healthy yet` }]
          : []),
        ...(!around.isDeploying && wanted.restart !== 'no' && detail?.restartPolicy === 'no'
          ? [{ kind: 'unsettled' as const, detail: `${name} was left by a deploy that was cut off: it would not come back after a reboot` }]
          : []),
      ]
    case 'restarting':
      return [{ kind: 'restarting', detail: `${name} is restarting over and over${ending(detail)}` }]
    case 'paused':
      return [{ kind: 'paused', detail: `${name} is paused` }]
    case 'created':
      return [{ kind: 'not-started', detail: `${name} was made and not started${detail?.error ? `: ${detail.error}` : ''}` }]
    case 'exited':
      return [stopped(container)]
    default:
      return [{ kind: 'exited', detail: `${name} is ${state}` }]
  }
}

/** The Engine brings back what ends by itself, unless it was told to stop it. */
function stopped({ name, detail }: LookedContainer): Drift {
  const comesBack = detail?.restartPolicy === 'always' || detail?.restartPolicy === 'unless-stopped'
  if (comesBack && detail.error === '') return { kind: 'stopped', detail: `${name} was stopped by hand${ending(detail)}` }
  return { kind: 'exited', detail: `${name} has ended${ending(detail)}` }
}

function restarts({ name, detail }: LookedContainer, nowMs: number): readonly Drift[] {
  if (detail === undefined || detail.restartCount === 0 || detail.startedAt === undefined) return []
  if (nowMs - Date.parse(detail.startedAt) > restingMs) return []
  return [{ kind: 'restarting', detail: `${name} was restarted ${renderCount(detail.restartCount, 'time')}, the last time just now` }]
}

function ending(detail: ContainerDetail | undefined): string {
  if (detail === undefined) return ''
  if (detail.oomKilled) return ` (out of memory, exit code ${detail.exitCode})`
  return detail.error === '' ? ` (exit code ${detail.exitCode})` : `: ${detail.error}`
}

export function isLive(state: Container['state']): boolean {
  return state === 'running' || state === 'restarting' || state === 'paused'
}
