/** A page in the way of a service's users, put there and taken away on every machine they reach. It survives deploys: only this removes it. */
import { maintenancePage, modes, routeKey } from '../../tasks/edge/layout.ts'
import { faultPoint } from '../../tasks/fault-point.ts'
import { actNote } from '../audit/acts.ts'
import { type App, InputError } from '../contracts.ts'
import { environmentLock } from './environment-lock.ts'
import { hostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

export interface MaintenanceChange {
  readonly service: string
  readonly host: string
}

/** @returns what was changed; nothing when all is as wanted. @throws InputError, TaskFailure */
export async function setMaintenance(
  project: Project,
  app: App,
  wanted: { readonly page: string | undefined; readonly service?: string; readonly dryRun: boolean },
): Promise<readonly MaintenanceChange[]> {
  const { deployment } = project
  const routed = deployment.services.filter(({ route, name }) => route !== undefined && (wanted.service ?? name) === name)
  const { edge } = deployment
  if (!edge || routed.length === 0) throw new InputError([nothingRouted(wanted.service, deployment.environment)])
  if (edge.provider !== 'caddy') throw new InputError([cannotPause(edge.provider)])
  const hosts = hostPool(deployment, project.directory, app)
  const lock = environmentLock(
    deployment.hosts.map(({ name }) => hosts.lockable(name)),
    async () => {},
  )
  const note = actNote(
    hosts,
    deployment.primaryHost,
    deployment.hosts.map(({ name }) => name),
    app,
  )
  try {
    const places = routed.flatMap(({ name }) => edge.gateways.map((host) => ({ service: name, host })))
    const looks = await Promise.all(places.map((place) => isInPlace(place)))
    const changes = places.filter((_, index) => looks[index] === false)
    if (wanted.dryRun || changes.length === 0) return changes
    await lock.hold()
    faultPoint('maintenance-locked')
    for (const { service, host } of changes) {
      await lock.verify()
      const path = maintenancePage(routeKey(deployment.project, deployment.environment, service))
      const { files } = hosts.host(host).edge
      if (wanted.page === undefined) await files.remove(path)
      else await files.write(path, Buffer.from(wanted.page), modes.page)
    }
    const what = `maintenance ${wanted.page === undefined ? 'off' : 'on'}`
    await note({ what, result: 'done', detail: changes.map((change) => `${change.service} on ${change.host}`).join(', ') })
    faultPoint('maintenance-changed')
    return changes
  } finally {
    await lock.release()
    await hosts.close()
  }

  async function isInPlace({ service, host }: MaintenanceChange): Promise<boolean> {
    const path = maintenancePage(routeKey(deployment.project, deployment.environment, service))
    const found = await hosts.host(host).edge.files.read(path)
    return wanted.page === undefined ? found === undefined : found !== undefined && Buffer.from(found).toString('utf8') === wanted.page
  }
}

function nothingRouted(service: string | undefined, environment: string) {
  const message =
    service === undefined ? `no service of ${environment} has a route` : `service \`${service}\` has no route in ${environment}`
  return { code: 'SC3140', severity: 'error', message, suggestion: 'services.<name>.route: <domain>' } as const
}

function cannotPause(provider: string) {
  return { code: 'SC3141', severity: 'error', message: `\`${provider}\` cannot show a page of its own`, suggestion: 'edge: caddy' } as const
}
