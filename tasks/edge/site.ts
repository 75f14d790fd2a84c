/** A route on one machine while a task works on it. */
import type { TaskContext } from '../kind.ts'
import { TaskFailure } from '../kind.ts'
import type { EdgeState, ProxyContainer } from '../ports/edge.ts'
import type { Host } from '../ports.ts'
import type { Route } from './route.ts'

export interface Site {
  readonly host: Host
  readonly route: Route
  readonly context: Pick<TaskContext, 'guard' | 'log' | 'signal' | 'ports'>
}

const nothing: EdgeState = { routes: {} }

export async function edgeState({ host }: Pick<Site, 'host'>): Promise<EdgeState> {
  return (await host.observe()).edge ?? nothing
}

/** @throws TaskFailure when there is none to ask. */
export async function runningProxy(site: Pick<Site, 'host'>): Promise<ProxyContainer> {
  const { proxy } = await edgeState(site)
  if (proxy?.isRunning) return proxy
  throw new TaskFailure({
    reason: 'refused',
    subject: site.host.name,
    message: `the proxy of ${site.host.name} ${proxy ? 'does not run' : 'is not there'}`,
    remedy: `deploy again; if it does not come up, look at it on ${site.host.name}: docker logs stagecraft-edge-proxy-1`,
  })
}
