/** What Traefik says it has loaded (https://doc.traefik.io/traefik/operations/api/), asked from inside its container. */
import type { Upstream } from './route.ts'
import { runningProxy, type Site } from './site.ts'
import { serverUrl } from './traefik-route.ts'

/** Where it listens, and only there: no other container, machine or person reaches it. */
export const traefikApi = 'http://127.0.0.1:8080'

export function serverUrls(upstreams: readonly Upstream[]): readonly string[] {
  return upstreams.map(serverUrl).sort()
}

/** Servers of the service, sorted and joined by spaces; else what is wrong, in words. */
export async function loadedServers(site: Site): Promise<string> {
  const { host, route } = site
  const proxy = await runningProxy(site)
  const url = `${traefikApi}/api/http/services/${encodeURIComponent(`${route.key}@file`)}`
  const exit = await host.engine.exec(proxy.id, ['wget', '-q', '-O', '-', url])
  if (exit.code !== 0) return `no answer about ${route.key}`
  return serversIn(exit.stdout)
}

/** Pure. */
export function serversIn(body: string): string {
  try {
    const answer = JSON.parse(body) as {
      readonly status?: string
      readonly loadBalancer?: { readonly servers?: readonly { readonly url?: string }[] }
    }
    if (answer.status !== undefined && answer.status !== 'enabled') return `a service that is ${answer.status}`
    return (answer.loadBalancer?.servers ?? [])
      .map(({ url }) => url ?? '')
      .sort()
      .join(' ')
  } catch {
    return 'an answer that is no JSON'
  }
}
