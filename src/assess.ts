/**
 * Decides whether a task may be skipped: its action, its fingerprint, and what the caches or its target say.
 * Shared by the executor and the plan, so that what is predicted is what happens.
 */
import type { ActionLog, Cache } from '../cache/cache.ts'
import { explainChange } from '../graph/explain.ts'
import { digestOf, digestOfJson, digestOfResult, fingerprint } from '../graph/fingerprint.ts'
import type { Action, ActionResult, Digest, Explanation, FileState, Fingerprint, Outcome, Task, TaskId } from '../graph/types.ts'
import type { FileSet, TaskContext, TaskKind } from '../tasks/kind.ts'
import type { Environment, Secrets } from '../tasks/ports.ts'
import { cachesOf } from './sharing.ts'

/** What assessing needs of the world. */
export interface Assessor {
  readonly caches: readonly Cache[]
  /** Results of this checkout's last runs, for kinds that can tell whether the files of a result are still there. */
  readonly results?: {
    result(key: Fingerprint): ActionResult | undefined
    keep(key: Fingerprint, result: ActionResult): void
    /** Told of every action before its fingerprint is asked for. */
    recognise(id: TaskId, action: Action): void
  }
  readonly log: ActionLog
  readonly files: { states(set: FileSet): Promise<Readonly<Record<string, FileState>>> }
  readonly variable: (name: string) => string | undefined
  /** Variables of the environment we were started in, by name or glob. */
  readonly environment: Environment
  /** What a command that tells its version prints. @throws TaskFailure when it cannot be run. */
  readonly tool: (argv: readonly string[], variables?: Readonly<Record<string, string>>) => Promise<string>
  readonly secrets: Secrets
}

export interface Described {
  readonly action: Action
  readonly fingerprint: Fingerprint
}

export type Assessment =
  | { readonly fresh: true; readonly outcome: Extract<Outcome, { status: 'skipped' }> }
  /** Fresh once its files are what its result says. */
  | { readonly fresh: 'unless-changed'; readonly result: ActionResult; readonly from: 'local' | 'remote' }
  | { readonly fresh: false; readonly because: Explanation }

/** A task's action, and the fingerprint it goes by. @throws TaskFailure when a declared file cannot be read. */
export async function describeAction(
  task: Task,
  kind: TaskKind,
  needs: ReadonlyMap<TaskId, ActionResult>,
  assessor: Assessor,
): Promise<Described> {
  const action = await actionOf(task, kind, needs, assessor)
  assessor.results?.recognise(task.id, action)
  return { action, fingerprint: fingerprint(action) }
}

/** Everything that can change what the task produces, read now. @throws TaskFailure when a declared file cannot be read. */
export async function actionOf(task: Task, kind: TaskKind, needs: ReadonlyMap<TaskId, ActionResult>, assessor: Assessor): Promise<Action> {
  const inputs = kind.inputs?.(task.params) ?? {}
  const sets = await Promise.all((inputs.files ?? []).map((set) => assessor.files.states(set)))
  const tools = await Promise.all(
    (inputs.tools ?? []).map(async (argv) => [`tool ${argv.join(' ')}`, await assessor.tool(argv, inputs.toolVariables)] as const),
  )
  return {
    kind: kind.name,
    version: kind.version,
    params: kind.identity ? kind.identity(task.params) : task.params,
    env: {
      ...Object.fromEntries((inputs.env ?? []).map((name) => [name, assessor.variable(name) ?? ''])),
      ...digested(assessor.environment.matching(inputs.environment ?? [])),
      ...Object.fromEntries(tools),
      ...(inputs.platform ? { platform: `${process.platform}-${process.arch}` } : {}),
    },
    secrets: Object.fromEntries((inputs.secrets ?? []).map((name) => [name, assessor.secrets.digest(name)])),
    files: Object.assign({}, ...sets) as Record<string, FileState>,
    needs: Object.fromEntries(task.needs.map((id) => [id, needDigest(task, kind, id, needs.get(id))])),
  }
}

/** Skip, and on whose word; or run, and why. Looks, never writes. */
export async function assess(
  task: Task,
  kind: TaskKind,
  described: Described,
  context: TaskContext,
  assessor: Assessor,
): Promise<Assessment> {
  const always = kind.always?.(task.params, context.needs)
  if (always !== undefined) return { fresh: false, because: { reason: 'always', detail: `it always runs: ${always}` } }
  const cached = kind.freshness === 'effect' ? undefined : await knownResult(kind, described, assessor)
  if (kind.freshness === 'content') {
    if (cached && kind.restore) return { fresh: 'unless-changed', ...cached }
    if (cached) return { fresh: true, outcome: { status: 'skipped', ...cached, how: 'present' } }
    return { fresh: false, because: await whyMissed(task, described, assessor) }
  }
  if (!kind.observe) throw new Error(`kind ${kind.name} is ${kind.freshness} but cannot observe its target`)
  const look = await kind.observe(task.params, context, cached?.result)
  if (!look.fresh) return { fresh: false, because: await tellMore(task, kind, look.because, described, assessor) }
  const detail = look.detail === undefined ? {} : { detail: look.detail }
  return { fresh: true, outcome: { status: 'skipped', result: look.result, from: 'target', how: 'present', ...detail } }
}

/** Values of the user's environment are compared, not kept: some are nobody's business. */
function digested(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, digestOf(value)]))
}

/** What this checkout made last is not looked for in a cache. */
async function knownResult(
  kind: TaskKind,
  { action, fingerprint: key }: Described,
  { results, caches }: Assessor,
): Promise<{ result: ActionResult; from: 'local' | 'remote' } | undefined> {
  const last = kind.restore && results?.result(key)
  if (last) return { result: last, from: 'local' }
  const cached = await cachedResult(key, cachesOf(caches, kind, action))
  if (cached && kind.restore) results?.keep(key, cached.result)
  return cached
}

async function cachedResult(
  key: Fingerprint,
  caches: readonly Cache[],
): Promise<{ result: ActionResult; from: 'local' | 'remote' } | undefined> {
  for (const cache of caches) {
    const result = await cache.actions.get(key)
    if (result) return { result, from: cache.name }
  }
  return undefined
}

async function whyMissed(task: Task, described: Described, assessor: Assessor): Promise<Explanation> {
  const last = await assessor.log.last(task.id)
  if (last && fingerprint(last) === described.fingerprint)
    return { reason: 'absent', detail: assessor.caches.length === 0 ? 'no cache is used' : 'its result is no longer in the cache' }
  return explainChange(last, described.action)
}

/** A build whose artifact is missing because its inputs changed should name the input, not the missing artifact. */
async function tellMore(task: Task, kind: TaskKind, because: Explanation, described: Described, assessor: Assessor): Promise<Explanation> {
  if (kind.freshness !== 'verified') return because
  const last = await assessor.log.last(task.id)
  if (!last || fingerprint(last) === described.fingerprint) return because
  return explainChange(last, described.action)
}

function needDigest(task: Task, kind: TaskKind, id: TaskId, result: ActionResult | undefined): Digest {
  if (!result) throw new Error(`${task.id} was described before ${id} had a result`)
  return kind.select ? digestOfJson(kind.select(task.params, id, result)) : digestOfResult(result)
}
