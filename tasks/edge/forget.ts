import { faultPoint } from '../fault-point.ts'
import type { Host } from '../ports.ts'
import { forgetInCaddy } from './configure-caddy.ts'
import { liveFolder, liveLink, maintenancePage, routeFile, setFolder } from './layout.ts'

/** Takes a service's route from a machine, and all that was kept for it: before its containers go. */
export async function forgetRoute(host: Host, key: string, innerPort: number, log: (line: string) => void): Promise<void> {
  const state = (await host.observe()).edge
  const live = state?.routes[key]?.live
  if (state?.proxy?.labels['provider'] === 'traefik') await host.edge.files.remove(routeFile('traefik', key))
  else await forgetInCaddy(host, key, innerPort, log)
  faultPoint('route-forgotten')
  await host.edge.files.remove(liveLink(key))
  if (live?.startsWith(`${setFolder}/${key}-`)) await host.edge.files.remove(`${liveFolder}/${live}`)
  await host.edge.files.remove(maintenancePage(key))
  host.changed()
}
