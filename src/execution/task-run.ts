/** The life of one task: described, assessed, and then skipped, put back or run. */
import type { Cache } from '../../cache/cache.ts'
import { explainChange } from '../../graph/explain.ts'
import { fingerprint } from '../../graph/fingerprint.ts'
import type { ActionResult, Explanation, Outcome, Task, TaskId } from '../../graph/types.ts'
import { faultPoint } from '../../tasks/fault-point.ts'
import type { HeldService, TaskContext, TaskKind } from '../../tasks/kind.ts'
import { type Assessment, actionOf, assess, type Described, describeAction } from '../assess.ts'
import { cachesOf } from '../sharing.ts'
import { shortName } from '../ui/task-name.ts'
import { journaled } from './run-journal.ts'
import type { RunOptions } from './run-options.ts'
import type { SeenUnlocked } from './seen-unlocked.ts'

export interface TaskAttempt {
  /** Its parameters checked. */
  readonly task: Task
  readonly kind: TaskKind
  readonly needs: ReadonlyMap<TaskId, ActionResult>
  readonly signal: AbortSignal
  /** Lines of output kept for a failure's report. */
  readonly output: string[]
  /** Of what stands around others: it is its turn, and why. */
  readonly due?: { readonly because: Explanation; readonly exclusive: boolean }
}

/** What the run around it does for a task. */
export interface TaskSurroundings extends RunOptions {
  told(event: { readonly type: 'output'; readonly line: string }, task: Task): void
  /** What becomes of a task that is to start now, if nothing new may. */
  notNow(): Outcome | undefined
  /** It starts now. */
  starts(task: Task, because: Explanation): void
  /** Starts the services it depends on. @returns an outcome when one of them cannot be had. */
  servicesFor(task: Task): Promise<Outcome | undefined>
  /** Gives its slot to others for good: nothing of it runs any more. */
  leaveSlot(task: Task): void
  /** What was found as wanted without the lock, and the way to it. */
  readonly unlocked: SeenUnlocked
  /** Gives its slot to others while it waits for something else. */
  away<T>(task: Task, work: () => Promise<T>): Promise<T>
}

/** What of it a task's own context is made from. */
export type ContextSurroundings = Pick<TaskSurroundings, 'told' | 'redact' | 'scope' | 'ports' | 'verbose' | 'lock'>

/** Lines of output kept for a failure's report. */
const keptLines = 20

/** @throws TaskFailure when the world says no. */
export async function runTask(attempt: TaskAttempt, around: TaskSurroundings): Promise<Outcome> {
  const known = await judge(attempt, around)
  if ('outcome' in known) return known.outcome
  if (around.taskLocks === undefined || !attempt.kind.oneAtATime) return perform(attempt, known, around)
  const { id } = attempt.task
  const locked = await lockTask(attempt, around.taskLocks, around)
  try {
    // Another run had it until now, or until just before we asked: most likely it did the very work.
    const again = locked.waited || (await isKnownBy(around.caches, attempt.kind, known)) ? await judge(attempt, around) : known
    return 'outcome' in again ? again.outcome : await perform(attempt, again, around)
  } finally {
    locked.release()
    faultPoint('task-unlocked', id)
  }
}

interface MustRun {
  readonly described: Described
  readonly because: Explanation
}

async function judge(attempt: TaskAttempt, around: TaskSurroundings): Promise<MustRun | { readonly outcome: Outcome }> {
  const described = await describeAction(attempt.task, attempt.kind, attempt.needs, around)
  const because = await reasonToRun(attempt, described, around)
  return 'status' in because ? { outcome: because } : { described, because }
}

/** Its result has come to be known since we looked. Forced work is done by everybody who was told to. */
async function isKnownBy(caches: readonly Cache[], kind: TaskKind, { described, because }: MustRun): Promise<boolean> {
  if (because.reason === 'forced' || because.reason === 'always') return false
  const local = cachesOf(caches, kind, described.action).filter(({ name }) => name === 'local')
  for (const { actions } of local) if ((await actions.get(described.fingerprint)) !== undefined) return true
  return false
}

function lockTask({ task, signal }: TaskAttempt, locks: NonNullable<RunOptions['taskLocks']>, around: TaskSurroundings) {
  return around.away(task, () =>
    locks.hold(task.id, signal, (holder) => around.notice?.(`${shortName(task.id)} waits for ${holder}, which runs it now`)),
  )
}

async function perform(attempt: TaskAttempt, { described, because }: MustRun, around: TaskSurroundings): Promise<Outcome> {
  const { task, kind, signal } = attempt
  // Looking may have been answered from memory, and then nobody noticed.
  if (signal.aborted) return { status: 'canceled', by: 'signal' }
  // A failure may have come while it waited for its lock, and the slot it gave away meanwhile.
  const notNow = around.notNow()
  if (notNow) return notNow
  if (!(await around.mayStart())) return { status: 'canceled', by: 'stop' }
  const withoutServices = await around.servicesFor(task)
  if (withoutServices) return withoutServices
  around.planned?.(task, kind, described.fingerprint)
  faultPoint('before-task', task)
  around.starts(task, because)
  const context: TaskContext = { ...contextOf(attempt, described, around), leaveSlot: () => around.leaveSlot(task) }
  const result = await journaled(around.journal, task, kind, 'run', () => kind.run(task.params, context))
  faultPoint('task-made', task)
  if (kind.freshness !== 'effect') await remember(attempt, described, result, around)
  await around.log.record(task.id, described.action)
  faultPoint('after-task', task)
  return { status: 'ran', result, because }
}

/** Starts a service. @returns what was held, once it is ready. @throws TaskFailure when it does not get there. */
export async function startService(
  attempt: TaskAttempt,
  described: Described,
  because: Explanation,
  around: TaskSurroundings,
): Promise<HeldService> {
  const { task, kind } = attempt
  around.starts(task, because)
  let held: HeldService | undefined
  await kind.run(task.params, { ...contextOf(attempt, described, around), hold: (service) => (held = service) })
  if (held === undefined) throw new Error(`${task.id} is a service and held nothing`)
  await around.log.record(task.id, described.action)
  return held
}

/** What a kind is given to act with. */
export function contextOf(
  { task, needs, signal, output }: Omit<TaskAttempt, 'kind'>,
  { fingerprint: key }: Pick<Described, 'fingerprint'>,
  around: ContextSurroundings,
): TaskContext {
  const log = (line: string) => {
    const clean = around.redact(line)
    output.push(clean)
    if (output.length > keptLines) output.shift()
    around.told({ type: 'output', line: clean }, task)
  }
  return {
    id: task.id,
    fingerprint: key,
    scope: around.scope,
    signal,
    needs,
    ports: around.ports,
    log,
    ...(around.verbose ? { remark: (line: string) => around.told({ type: 'output', line: around.redact(line) }, task) } : {}),
    hold: () => {
      throw new Error(`${task.id} is no service`)
    },
    guard: () => around.lock.verify(),
  }
}

async function reasonToRun(attempt: TaskAttempt, described: Described, around: TaskSurroundings): Promise<Explanation | Outcome> {
  const { task, kind, due } = attempt
  if (due) {
    if (due.exclusive) await around.unlocked.hold()
    return due.because
  }
  const context = contextOf(attempt, described, around)
  const look = () => assess(task, kind, described, context, around)
  const forced = around.force(task.id)
  const wasLocked = around.lock.isHeld
  let assessment: Assessment = forced ? { fresh: false, because: { reason: 'forced', detail: 'forced' } } : await look()
  // What was seen before the lock was ours may have changed until it was.
  if (!assessment.fresh && (kind.exclusive || kind.around?.(task.params)?.exclusive)) {
    await around.unlocked.hold()
    if (!wasLocked && !forced) assessment = await look()
  }
  // The same goes for what seemed to be as wanted: looked at again now, or by whoever takes the lock.
  if (assessment.fresh && kind.freshness === 'effect' && !wasLocked) {
    if (!around.lock.isHeld) around.unlocked.note(task, look)
    else if (await around.lock.movedMeanwhile?.()) {
      assessment = await look()
      if (!assessment.fresh) await around.unlocked.hold()
    }
  }
  if (assessment.fresh === 'unless-changed') {
    const put = await putBack(task, kind, context, assessment)
    if ('reason' in put) return put
    assessment = { fresh: true, outcome: put }
  }
  if (!assessment.fresh) return assessment.because
  await around.log.record(task.id, described.action)
  return assessment.outcome
}

/** Content that lives in the project folder is fresh when it is there, and is put there when it is not. */
async function putBack(
  task: Task,
  kind: TaskKind,
  context: TaskContext,
  { result, from }: { readonly result: ActionResult; readonly from: 'local' | 'remote' },
): Promise<Explanation | Extract<Outcome, { status: 'skipped' }>> {
  const restored = (await kind.restore?.(task.params, context, result)) ?? { state: 'intact' }
  if (restored.state === 'impossible') return { reason: 'output', detail: `its outputs ${restored.detail}` }
  if (restored.state === 'intact') return { status: 'skipped', result, from, how: 'present' }
  const { files } = restored
  const detail = files === 1 ? '1 file restored' : `${files} files restored`
  return { status: 'skipped', result, from, how: 'restored', restoredFiles: files, detail }
}

/** Stores the result, unless an input changed while the task ran: then nobody knows what it was made from. */
async function remember(attempt: TaskAttempt, described: Described, result: ActionResult, around: TaskSurroundings): Promise<void> {
  const { task, kind, needs } = attempt
  if (kind.always?.(task.params, needs) !== undefined) return
  const now = await actionOf(task, kind, needs, around)
  // Made the same way, they read the same: that is cheaper to see than a fingerprint.
  if (JSON.stringify(now) !== JSON.stringify(described.action) && fingerprint(now) !== described.fingerprint) {
    const { detail } = explainChange(described.action, now)
    around.told({ type: 'output', line: `${detail} while it ran: the result is used, but not cached` }, task)
    return
  }
  for (const cache of cachesOf(around.caches, kind, described.action)) await cache.actions.set(described.fingerprint, result)
}
