/** What a service of a swarm is, against what it should be. Pure: what a rollout does follows from this. */
import type { JsonObject } from '../../graph/types.ts'
import type { SwarmService, SwarmTask } from '../ports.ts'
import { differences } from './compact.ts'
import { imageOf } from './fill.ts'

export interface WantedService {
  readonly service: string
  readonly hash: string
  readonly replicas: number
  /** With secrets filled in: compared in memory, never shown. */
  readonly spec: JsonObject
}

/** Compared by others, or known to the swarm only: ids for names, and the image, which may have been resolved to a digest. */
const notCompared = new Set(['Target', 'Image', 'Name', 'ForceUpdate'])

/** Undefined when all is as wanted; else a sentence fragment that says what is not. */
export function serviceDrift(wanted: WantedService, found: SwarmService | undefined): string | undefined {
  if (found === undefined) return 'not in the swarm yet'
  if (found.hash !== wanted.hash) return 'the swarm has another definition'
  const changed = changedByHand(wanted, found)
  if (changed !== undefined) return changed
  if (found.replicas !== wanted.replicas) return `the swarm is to run ${found.replicas}, not ${wanted.replicas}`
  const state = found.update?.state
  if (state === 'updating' || state === 'rollback_started') return 'its last change is still under way'
  if (state === 'paused' || state === 'rollback_paused') return `its last change was given up: ${found.update?.message}`
  return found.running === wanted.replicas ? undefined : `${found.running} of ${wanted.replicas} replicas run`
}

/** Must its spec be sent, or is there only something to wait for? */
export function needsChange(wanted: WantedService, found: SwarmService): boolean {
  if (found.hash !== wanted.hash || found.replicas !== wanted.replicas || changedByHand(wanted, found) !== undefined) return true
  return found.update?.state === 'paused' || found.update?.state === 'rollback_paused'
}

/** Somebody used `docker service update`: the label still says what it was. */
function changedByHand({ spec }: WantedService, found: SwarmService): string | undefined {
  const { Mode: _mode, ...lasting } = spec
  const paths = differences(lasting, found.spec, notCompared)
  const image = sameImage(imageOf(spec), imageOf(found.spec)) ? [] : ['image']
  const all = [...image, ...paths.map((path) => path.replace(/^TaskTemplate\.(ContainerSpec\.)?/, ''))]
  return all.length === 0 ? undefined : `it was changed by hand: ${[...new Set(all)].join(', ')}`
}

/** A tag of somebody else's is pinned to the digest it had when the service was last changed. */
export function sameImage(wanted: string, found: string): boolean {
  return wanted === found || (!wanted.includes('@') && found.startsWith(`${wanted}@`))
}

/** How a change goes, by the service and its copies as they are now. */
export type Progress =
  | { readonly state: 'under-way'; readonly detail: string }
  | { readonly state: 'done' }
  /** The Engine went back to what it was before by itself. */
  | { readonly state: 'went-back'; readonly why: string }
  /** It could not go back either. */
  | { readonly state: 'stuck'; readonly why: string }
  /** A copy failed, and the Engine does nothing about it: it was made, or only scaled. */
  | { readonly state: 'failed'; readonly why: string }

/** @param tasks those that had not ended before the change began. */
export function progressOf(replicas: number, found: SwarmService, tasks: readonly SwarmTask[]): Progress {
  const { update } = found
  if (update?.state === 'rollback_completed') return { state: 'went-back', why: update.message }
  if (update?.state === 'rollback_paused' || update?.state === 'paused') return { state: 'stuck', why: update.message }
  const wantedOnes = tasks.filter(({ desired }) => desired === 'running')
  const running = wantedOnes.filter(({ state }) => state === 'running').length
  const waiting = wantedOnes.find(({ state, error }) => state !== 'running' && error !== '')
  const detail = `${running} of ${replicas} run${waiting ? `; ${waiting.error}` : ''}`
  if (update?.state === 'updating' || update?.state === 'rollback_started') return { state: 'under-way', detail }
  const broken = failedTask(tasks)
  if (broken !== undefined && update === undefined) return { state: 'failed', why: taskText(broken) }
  return running >= replicas ? { state: 'done' } : { state: 'under-way', detail }
}

/** The one that says best what is wrong: the newest that ended or never started. */
export function failedTask(tasks: readonly SwarmTask[]): SwarmTask | undefined {
  return tasks.find(({ state }) => state === 'failed' || state === 'rejected')
}

export function taskText({ error, state, node, exitCode }: SwarmTask): string {
  const where = node === undefined ? '' : ` on ${node}`
  const what = error === '' ? (exitCode === undefined ? `is ${state}` : `ended with code ${exitCode}`) : error
  return `a copy${where}: ${what}`
}

/** Copies of which nothing more is to be heard. */
export function hasEnded({ state }: SwarmTask): boolean {
  return ['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'].includes(state)
}
