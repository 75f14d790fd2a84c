/** A host's proxy and its routes as a person reads of them. Pure. */
import type { EdgeDriftKind, EdgeStatus } from './edge-findings.ts'
import type { StatusReport } from './report.ts'

/** No service is called so. */
export const proxyName = '(proxy)'

/** Cells of its row, from the service on. */
export function edgeCells(edge: EdgeStatus): readonly string[] {
  const words = edgeWords(edge)
  return [proxyName, '-', '-', edge.proxy, '-', '-', words.length === 0 ? '-' : words.join(', ')]
}

/** What is to be seen to, each once; none when all is well. */
export function edgeWords({ drift, routes }: EdgeStatus): readonly string[] {
  const kinds = [...drift, ...routes.flatMap((route) => route.drift)].map(({ kind }) => kindWords[kind])
  return [...new Set([...kinds, ...(routes.some(({ maintenance }) => maintenance) ? ['maintenance'] : [])])]
}

const kindWords: Readonly<Record<EdgeDriftKind, string>> = {
  proxy: 'proxy',
  edited: 'edited file',
  missing: 'missing file',
  targets: 'requests',
}

/** What there is to say of a proxy, and of whom. */
export function edgeLines({ drift, routes }: EdgeStatus): readonly (readonly [subject: string, detail: string])[] {
  return [
    ...drift.map(({ detail }) => [proxyName, detail] as const),
    ...routes.flatMap(({ service, maintenance, drift: own }) => [
      ...(maintenance ? [[service, 'users meet the maintenance page'] as const] : []),
      ...own.map(({ detail }) => [service, detail] as const),
    ]),
  ]
}

/** What takes pages away, one line for each service: a deploy leaves them. */
export function maintenanceEnds({ env, hosts }: StatusReport): readonly string[] {
  const paused = hosts.flatMap(({ edge }) => edge?.routes.flatMap(({ service, maintenance }) => (maintenance ? [service] : [])) ?? [])
  return [...new Set(paused)].sort().map((service) => `to end maintenance: stagecraft maintenance off --env ${env} --service ${service}`)
}
