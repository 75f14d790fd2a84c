/** A `stagecraft` that a hook of the same environment started: it may look, and run tasks of the user's, and nothing that a deploy does. */
import { insideHook } from '../../tasks/hook/variables.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { App, Deployment } from '../contracts.ts'
import type { LockableHost } from './environment-lock.ts'

/** The point of the hook that started us; undefined when none of this environment did. */
export function outerHook({ project, environment }: Pick<Deployment, 'project' | 'environment'>, { env }: App): string | undefined {
  const [place, point] = env[insideHook]?.split(' ') ?? []
  return place === `${project}/${environment}` ? point : undefined
}

/** A host whose lock is not to be had inside a hook. */
export function unlessInHook(host: LockableHost, deployment: Deployment, app: App): LockableHost {
  const point = outerHook(deployment, app)
  return point === undefined ? host : { ...host, lock: () => Promise.reject(lockOfHook(host.name, point)) }
}

/** Instead of waiting for who waits for us, or of two graphs that write under one lock. */
function lockOfHook(host: string, point: string): TaskFailure {
  return new TaskFailure({
    reason: 'lock-held',
    subject: host,
    message: `this runs inside the hook ${point} of a deploy of the same environment, which writes to ${host} itself`,
    remedy: 'a hook may look (plan, releases) and run tasks of yours; take what writes to hosts out of it',
  })
}
