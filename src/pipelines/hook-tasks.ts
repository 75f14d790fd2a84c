/** Hooks in the graph of a deploy: where each stands is edges, nothing else. Pure. */
import { type Phase, phases, type Task, type TaskId } from '../../graph/types.ts'
import type { HookParams } from '../../tasks/hook.ts'
import { kinds } from '../../tasks/index.ts'
import type { Deployment, Hook } from '../contracts.ts'
import { id, task } from './deploy-task.ts'
import { hostsInScope, type Scope } from './fleet-part.ts'
import { commandOf } from './user-tasks.ts'

/** Made on this machine, and on the registry: nothing of an environment is touched. */
const beforeHosts = ['build', 'push', 'render']

/**
 * Tasks of a deploy, and its hooks around them.
 *
 *     before_X ─▶ each of X ─▶ after_X ─▶ whatever comes after one of X and before none of them
 *
 * `before_deploy` comes before all other hooks that come before something, `after_deploy` after all other hooks; a hook about one task lies within
 * that about its kind. A hook around what this deploy does not have is left out.
 */
export function withHooks(tasks: readonly Task[], deployment: Deployment, scope: Scope): Task[] {
  const hooks = (deployment.hooks ?? []).filter(({ around }) => around !== 'failure')
  if (hooks.length === 0) return [...tasks]
  const graph = new Map(tasks.map((one) => [one.id, one]))
  const present = hooks.flatMap((hook) => placed(hook, tasks, deployment, scope))
  const idsOf = (side: Hook['side'], isWanted: (hook: Hook) => boolean) =>
    present.filter(({ hook }) => hook.side === side && isWanted(hook)).map(({ hook }) => hookId(hook))

  for (const { hook, around, container } of present.filter((one) => one.hook.side === 'before')) {
    const isOuter = (other: Hook) =>
      (other.around === 'deploy' && hook.around !== 'deploy') ||
      (other.around === hook.around && other.subject === undefined && hook.subject !== undefined)
    // To run in the new image before a migration, the file it runs by must be there before the migration is.
    if (container) change(container.upload, (upload) => ({ ...upload, after: upload.after.filter((other) => !around.includes(other)) }))
    const before = [...idsOf('before', isOuter), ...(container?.after ?? [])]
    add(hookTask(hook, around, container, before, deployment, scope))
    for (const one of around) change(one, (given) => ({ ...given, after: [...given.after, hookId(hook)] }))
  }
  const inward = (hook: Hook) => (hook.around === 'deploy' ? 2 : hook.subject === undefined ? 1 : 0)
  for (const { hook, around, container } of present
    .filter((one) => one.hook.side === 'after')
    .sort((one, other) => inward(one.hook) - inward(other.hook))) {
    const isInner = (other: Hook) =>
      (hook.around === 'deploy' && other.around !== 'deploy') ||
      (other.around === hook.around && other.subject !== undefined && hook.subject === undefined)
    const before = [...around, ...idsOf('after', isInner), ...(container?.after ?? [])]
    const earlier = ancestors(before, graph)
    for (const one of [...graph.values()]) {
      const comesAfter = [...one.needs, ...one.after].some((other) => around.includes(other))
      if (comesAfter && !earlier.has(one.id)) change(one.id, (given) => ({ ...given, after: [...given.after, hookId(hook)] }))
    }
    add(hookTask(hook, around, container, before, deployment, scope))
  }
  return [...graph.values()]

  function add(made: Task): void {
    graph.set(made.id, made)
  }

  function change(which: TaskId, changed: (given: Task) => Task): void {
    const given = graph.get(which)
    if (given) graph.set(which, changed(given))
  }
}

/** What runs when a deploy failed: no task, as all tasks have ended by then. */
export function failureHook(deployment: Deployment, scope: Scope): (HookParams & { readonly around: 'failure' }) | undefined {
  const hook = deployment.hooks?.find(({ around }) => around === 'failure')
  return hook && { ...paramsOf(hook, [], undefined, deployment, scope), around: 'failure', status: 'failed' }
}

/** A hook after things of some kinds is run by whoever wants those things, though nothing of them waits for it. */
export function comesWith({ kind, params }: Task, wanted: readonly string[]): boolean {
  if (kind !== 'hook') return false
  const { around, after } = params as HookParams
  return after !== null && wanted.includes(around)
}

interface Placed {
  readonly hook: Hook
  readonly around: readonly TaskId[]
  readonly container?: Container
}

interface Container {
  readonly service: string
  readonly host: string
  readonly render: TaskId
  readonly upload: TaskId
  /** What makes the file it runs by, and the networks that names, be there. */
  readonly after: readonly TaskId[]
}

function placed(hook: Hook, tasks: readonly Task[], deployment: Deployment, scope: Scope): Placed[] {
  const around = tasks.filter((one) => isAround(hook, one)).map((one) => one.id)
  if (around.length === 0) return []
  if (hook.on === undefined) return [{ hook, around }]
  const service = deployment.services.find(({ name }) => name === hook.on)
  const host = service && (hostsInScope(service, scope)[0] ?? service.hosts.find((name) => scope.hosts.includes(name)))
  if (host === undefined) return []
  const upload = id('upload', host)
  const after = [upload, id('proxy', host)].filter((wanted) => tasks.some((one) => one.id === wanted))
  return [{ hook, around, container: { service: hook.on, host, render: id('render', host), upload, after } }]
}

function isAround({ around, subject }: Hook, { id: one, kind }: Task): boolean {
  if (around === 'deploy') return true
  return kind === around && (subject === undefined || one === `${kind}:${subject}` || one.startsWith(`${kind}:${subject}@`))
}

/** `hook:before_rollout`, `hook:before_rollout/web@node-1`: an id has one colon. */
export function hookId({ point }: Pick<Hook, 'point'>): TaskId {
  return `hook:${point.replace(':', '/')}` as TaskId
}

function hookTask(
  hook: Hook,
  around: readonly TaskId[],
  container: Container | undefined,
  after: readonly TaskId[],
  deployment: Deployment,
  scope: Scope,
): Task {
  const params = paramsOf(hook, around, container, deployment, scope)
  return {
    ...task('hook', '', undefined, hook.origin, container ? [container.render] : [], [...new Set(after)].sort(), params),
    id: hookId(hook),
  }
}

function paramsOf(
  hook: Hook,
  around: readonly TaskId[],
  container: Container | undefined,
  deployment: Deployment,
  scope: Scope,
): HookParams {
  const { point, side, command, env, secrets, timeoutMs, onFailure } = hook
  const isLocked = deployment.hosts.length > 0 && hook.around !== 'failure' && !beforeHosts.includes(hook.around)
  const isAfterEnd = side === 'after' && (hook.around === 'deploy' || hook.around === 'finalize')
  return {
    ...{ point, around: hook.around, timeoutMs, onFailure },
    after: side === 'after' ? [...around] : null,
    ...{ command: commandOf(command), env: [...env], secrets: [...secrets] },
    phase: isAfterEnd ? null : firstPhase(around),
    locked: isLocked,
    owedOn: isLocked && side === 'after' && !isAfterEnd ? (deployment.primaryHost ?? null) : null,
    hosts: [...scope.hosts],
    status: isAfterEnd ? 'succeeded' : 'running',
    container: container
      ? {
          ...{ service: container.service, host: container.host, render: container.render },
          ...{ composeProject: deployment.composeProject, directory: deployment.directory },
        }
      : null,
  }
}

function firstPhase(around: readonly TaskId[]): Phase | null {
  const found = new Set(around.map((one) => kinds.get(one.split(':')[0] ?? '')?.phase))
  return phases.find((phase) => found.has(phase)) ?? null
}

/** The ids, and all they depend on. */
function ancestors(ids: readonly TaskId[], graph: ReadonlyMap<TaskId, Task>): ReadonlySet<TaskId> {
  const found = new Set<TaskId>()
  const open = [...ids]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    const { needs = [], after = [] } = graph.get(next) ?? {}
    open.push(...needs, ...after)
  }
  return found
}
