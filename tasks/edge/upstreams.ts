import type { Container } from '../ports.ts'
import type { Upstream } from './route.ts'

/** Containers that the proxy can reach: those made before the service had a route are not in its network. */
export function upstreamsOf(containers: readonly Container[]): readonly Upstream[] {
  return containers.flatMap(({ name, routePort }) => (routePort === undefined ? [] : [{ name, port: routePort }]))
}
