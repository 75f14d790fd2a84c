/** How a host's proxy and its files differ from what the last deploy left there. Pure. */
import { serviceState } from '../../../tasks/rolling/decide.ts'
import type { LookedContainer } from './findings.ts'
import type { EdgeLook, FileState, RouteLook } from './look-at-edge.ts'
import type { RenderedService } from './rendered-bundle.ts'

export type EdgeDriftKind = 'proxy' | 'edited' | 'missing' | 'targets'

export interface EdgeDrift {
  readonly kind: EdgeDriftKind
  /** A sentence fragment without times: the same as long as nothing changes. */
  readonly detail: string
}

export interface RouteStatus {
  readonly service: string
  /** Users meet a page instead: somebody wanted that, so it is no drift. */
  readonly maintenance: boolean
  readonly drift: readonly EdgeDrift[]
}

export interface EdgeStatus {
  readonly proxy: EdgeLook['proxy']
  /** Of the proxy and of what all its services share. */
  readonly drift: readonly EdgeDrift[]
  readonly routes: readonly RouteStatus[]
}

export interface EdgeInput {
  readonly look: EdgeLook | undefined
  /** Of the host. */
  readonly containers: readonly LookedContainer[]
  /** What the release wants on the host. */
  readonly services: readonly RenderedService[]
  wants(service: string): boolean
  /** A run is at work: requests may be on their way to other containers. */
  readonly isDeploying: boolean
}

/** @returns undefined where no service that is asked for is routed. */
export function findEdgeDrift({ look, containers, services, wants, isDeploying }: EdgeInput): EdgeStatus | undefined {
  const routes = look?.routes.filter(({ service }) => wants(service)) ?? []
  if (!look || routes.length === 0) return undefined
  const { proxy, assembled } = look
  return {
    proxy,
    drift: [...proxyDrift(proxy), ...(assembled ? fileDrift(assembled.file, assembled.fileState) : [])],
    routes: routes.map((route) => {
      const own = containers.filter(({ service }) => service === route.service)
      const wanted = services.find(({ name }) => name === route.service)
      return {
        service: route.service,
        maintenance: route.isPaused,
        drift: [...fileDrift(route.file, route.fileState), ...(isDeploying ? [] : targetDrift(route, own, wanted))],
      }
    }),
  }
}

function proxyDrift(proxy: EdgeLook['proxy']): readonly EdgeDrift[] {
  if (proxy === 'running') return []
  return [
    { kind: 'proxy', detail: proxy === 'missing' ? 'there is no proxy: nobody is served' : 'the proxy does not run: nobody is served' },
  ]
}

function fileDrift(file: string, state: FileState): readonly EdgeDrift[] {
  if (state === 'as written') return []
  return [{ kind: state, detail: state === 'missing' ? `${file} is missing` : `${file} is not as a deploy wrote it` }]
}

function targetDrift(
  { service, targets }: RouteLook,
  own: readonly LookedContainer[],
  wanted: RenderedService | undefined,
): readonly EdgeDrift[] {
  if (targets === undefined) return []
  const { place, containers } = targets
  if (containers === undefined) {
    return [{ kind: 'targets', detail: `requests reach no container: ${place} is missing, or does not lead where a deploy left it` }]
  }
  const dead = containers.filter((name) => !own.some((container) => container.name === name && container.state === 'running'))
  const ready = wanted ? serviceState({ service, ...wanted }, own).ready : []
  const idle = ready.filter(({ name, routePort }) => routePort !== undefined && !containers.includes(name))
  return [
    ...dead.map((name): EdgeDrift => ({ kind: 'targets', detail: `requests are sent to ${name}, which does not run` })),
    ...idle.map(({ name }): EdgeDrift => ({ kind: 'targets', detail: `${name} runs and is sent no requests` })),
  ]
}
