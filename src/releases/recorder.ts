/**
 * Writes the history of one run while it happens. A run in which no task starts leaves no trace: nothing was released.
 * State is written when a phase moves, not when a task does, and at most one write is under way.
 */
import type { Failure, Outcome, Phase, Task, TaskId } from '../../graph/types.ts'
import { phases } from '../../graph/types.ts'
import type { TaskFailure } from '../../tasks/kind.ts'
import type { ReleasePort } from '../../tasks/ports.ts'
import type { RunEvent } from '../contracts.ts'
import { isOurs, ownerIsGone, withoutGhosts } from './crash-recovery.ts'
import { describe, notRecorded } from './failure-words.ts'
import { renderHistory } from './history-file.ts'
import { phaseStatus, type SkipReasons, type TaskProgress } from './phase-status.ts'
import { thisProcess } from './process-identity.ts'
import { advance, allPhases, finished, newestFirst, nextReleaseId, type Release, type ReleaseImage } from './release.ts'
import type { ReleaseStore } from './store.ts'

export interface RecorderOptions {
  readonly store: ReleaseStore
  readonly kind: Release['kind']
  readonly environment: string
  /** A function is asked when a release is made, and not for a run that makes none. */
  readonly version: string | (() => Promise<string>)
  /** Empty outside a repository. */
  readonly commitSha: string
  /** Who makes it, for people. */
  readonly by?: string
  /** Every task of the run. */
  readonly tasks: readonly Task[]
  /** Undefined for a task that changes nothing outside this machine (a `pure` kind): it neither makes a release nor moves a phase. */
  readonly phaseOf: (task: Task) => Phase | undefined
  readonly now: () => Date
  /** The environment's lock is held: whoever left a release of it running is gone, wherever they ran. */
  readonly exclusive?: boolean
  /** Where a rollback comes from and goes to. */
  readonly rollback?: { readonly from: string | undefined; readonly to: string }
  /** What else is known of the release from the start. */
  readonly about?: Pick<Release, 'partial' | 'unreachable' | 'hosts' | 'reason' | 'compose_hash'>
  /** Why there are no tasks of a phase; default: there is nothing to configure them. */
  readonly skipped?: SkipReasons
  /** Called once when state could not be written: the run must end. */
  readonly onFailure: (failure: TaskFailure) => void
}

export interface Recorder extends ReleasePort {
  /** Takes every event of the run. */
  on(event: RunEvent): void
  /** What others released so far has become known: a release of ours that was begun before comes after all of it, whatever their clocks said. */
  comesAfter(others: readonly Release[]): Promise<void>
  /** Writes how it ended, and what of it was taken back. @returns the release, or undefined for a run that did nothing. @throws TaskFailure when state could not be written. */
  finish(outcomes: ReadonlyMap<TaskId, Outcome>, undone?: Release['undone']): Promise<Release | undefined>
}

/** Settles releases that dead processes left running, then listens. @throws TaskFailure when the history is damaged or cannot be written. */
export async function createRecorder(options: RecorderOptions): Promise<Recorder> {
  await settleCrashed(options)
  const recording = new Recording(options)
  return {
    on: (event) => recording.on(event),
    comesAfter: (others) => recording.comesAfter(others),
    id: () => recording.id(),
    complete: (images) => recording.complete(images),
    finish: (outcomes, undone) => recording.finish(outcomes, undone),
  }
}

async function settleCrashed({ store, environment, exclusive, now }: RecorderOptions): Promise<void> {
  const isDead = (release: Release) =>
    ownerIsGone(release) || (exclusive === true && !release.finished && release.environment === environment && !isOurs(release))
  if ((await store.read()).some(isDead)) await store.update((releases) => withoutGhosts(releases, now(), isDead))
}

class Recording {
  readonly #options: RecorderOptions
  readonly #progress = new Map<TaskId, TaskProgress & { readonly failure?: Failure }>()
  #release: Release | undefined
  /** What the release was called before it was known what others released. */
  #formerId: string | undefined
  #isDirty = false
  #writing: Promise<void> | undefined
  #problem: TaskFailure | undefined

  constructor(options: RecorderOptions) {
    this.#options = options
    for (const task of options.tasks) this.#move(task, 'waiting')
  }

  on(event: RunEvent): void {
    if (event.type === 'output') return
    if (event.type === 'started') this.#move(event.task, 'running')
    else this.#settle(event.task, event.outcome)
    const isOurs = this.#progress.has(event.task.id)
    if (isOurs && (this.#isBegun() || event.type === 'started')) this.#project()
  }

  async id(): Promise<string> {
    this.#isDirty ||= !this.#isBegun()
    return (await this.#written()).id
  }

  async complete(images: Readonly<Record<string, ReleaseImage>>): Promise<string> {
    await this.id()
    this.#change((release) => ({ ...release, images: { ...release.images, ...images } }))
    const release = await this.#written()
    // The copy goes to the host as the last thing finalize does, so in it finalize is done.
    const done = finished(this.#projected(release, 'ran'), this.#options.now())
    const others = (await this.#options.store.read()).filter((other) => other.environment === this.#options.environment)
    return renderHistory({ releases: others.map((other) => (other.id === done.id ? done : other)), fields: {} })
  }

  /** Ids decide what is newest. One that is made from now on follows what the history has by then. */
  async comesAfter(others: readonly Release[]): Promise<void> {
    if (!this.#isBegun()) return
    const own = await this.#written()
    const [newest] = newestFirst(others)
    if (newest === undefined || own.id > newest.id) return
    const previous = newestFirst(others).find(({ environment }) => environment === own.environment)
    this.#formerId = own.id
    const id = nextReleaseId(this.#options.now(), newest.id)
    this.#change((release) => ({ ...release, id, ...(previous ? { previous_id: previous.id } : {}) }))
    await this.#written()
  }

  async finish(outcomes: ReadonlyMap<TaskId, Outcome>, undone?: Release['undone']): Promise<Release | undefined> {
    for (const task of this.#options.tasks) {
      const outcome = outcomes.get(task.id)
      if (outcome) this.#settle(task, outcome)
    }
    if (!this.#isBegun()) return undefined
    await this.#written()
    this.#change((release) => ({ ...finished(this.#projected(release), this.#options.now()), ...(undone ? { undone } : {}) }))
    return this.#written()
  }

  #isBegun(): boolean {
    return this.#release !== undefined || this.#writing !== undefined || this.#problem !== undefined
  }

  #move(task: Task, state: TaskProgress['state'], failure?: Failure): void {
    const phase = this.#options.phaseOf(task)
    if (phase) this.#progress.set(task.id, { phase, state, ...(failure ? { failure } : {}) })
  }

  #settle(task: Task, outcome: Outcome): void {
    this.#move(task, outcome.status, outcome.status === 'failed' ? outcome.failure : undefined)
  }

  /** The release with its phases moved to where its tasks are; a phase that has ended stays as it is. */
  #projected(release: Release, running: 'running' | 'ran' = 'running'): Release {
    const tasks = [...this.#progress.values()].map((task) => (task.state === 'running' ? { ...task, state: running } : task))
    const views = phaseStatus(tasks, this.#options.skipped)
    return phases.reduce((result, phase) => {
      const now = result.phases[phase]
      if (now !== 'pending' && now !== 'running') return result
      const { status, detail } = views[phase]
      const failure = status === 'failed' ? tasks.find((task) => task.phase === phase && task.failure)?.failure : undefined
      return advance(result, phase, status, failure ? describe(failure) : detail)
    }, release)
  }

  /** Writes when a phase moved; the release is made by the first write. */
  #project(): void {
    if (!this.#release) {
      this.#isDirty = true
      this.#flush()
      return
    }
    const projected = this.#projected(this.#release)
    if (projected !== this.#release) this.#change(() => projected)
  }

  #change(change: (release: Release) => Release): void {
    if (!this.#release) return
    this.#release = { ...change(this.#release), updated_at: this.#options.now().toISOString() }
    this.#isDirty = true
    this.#flush()
  }

  #flush(): void {
    if (this.#problem !== undefined || this.#writing !== undefined) return
    this.#writing = this.#write().catch((error: unknown) => {
      this.#problem = notRecorded(error)
      this.#options.onFailure(this.#problem)
    })
  }

  /** Settles when nothing is left to write. */
  async #written(): Promise<Release> {
    if (this.#isDirty) this.#flush()
    while (this.#writing !== undefined && this.#problem === undefined) await this.#writing
    if (this.#problem) throw this.#problem
    if (!this.#release) throw new Error('a release was asked for that nothing began')
    return this.#release
  }

  async #write(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false
      if (this.#release) {
        const release = this.#release
        const isThis = (other: Release) => other.id === release.id || (other.id === this.#formerId && isOurs(other))
        await this.#options.store.update((releases) => [...releases.filter((other) => !isThis(other)), release])
      } else {
        await this.#create()
        // Tasks went on while the first write was under way.
        const projected = this.#release && this.#projected(this.#release)
        if (projected !== this.#release) this.#change(() => projected)
      }
    }
    this.#writing = undefined
  }

  async #create(): Promise<void> {
    const { version: given } = this.#options
    const version = typeof given === 'string' ? given : await given()
    let created: Release | undefined
    await this.#options.store.update((releases) => {
      created = this.#projected(this.#newRelease(releases, version))
      return [...releases, created]
    })
    this.#release = created
  }

  #newRelease(releases: readonly Release[], version: string): Release {
    const { environment, commitSha, kind, rollback, about, now, by } = this.#options
    const newest = newestFirst(releases)
    const previous = newest.find((release) => release.environment === environment)
    const at = now()
    return {
      id: nextReleaseId(at, newest[0]?.id),
      kind,
      environment,
      version,
      commit_sha: commitSha,
      timestamp: at.toISOString(),
      ...(by === undefined ? {} : { by }),
      updated_at: at.toISOString(),
      phases: allPhases('pending'),
      ...about,
      ...(previous ? { previous_id: previous.id } : {}),
      ...(rollback?.from === undefined ? {} : { rolled_back_from: rollback.from }),
      ...(rollback ? { rollback_target: rollback.to } : {}),
      finished: false,
      owner: thisProcess(),
    }
  }
}
