import type { Host } from '../ports.ts'
import { removeCertificates } from './certificates.ts'
import { forgetInCaddy } from './configure-caddy.ts'
import { assetFolder, liveFolder, liveLink, maintenancePage, ownerOf, routeFile, routeFolder, setFolder, trialKey } from './layout.ts'
import { dropClaim } from './needs.ts'

/** Takes a service's route from a machine, and all that was kept for it: before its containers go. */
export async function forgetRoute(host: Host, key: string, innerPort: number, log: (line: string) => void): Promise<void> {
  const state = (await host.observe()).edge
  const live = state?.routes[key]?.live
  if (state?.proxy?.labels['provider'] === 'traefik') await host.edge.files.remove(routeFile('traefik', key))
  else await forgetInCaddy(host, key, innerPort, log)
  await host.edge.files.remove(liveLink(key))
  if (live?.startsWith(`${setFolder}/${key}-`)) await host.edge.files.remove(`${liveFolder}/${live}`)
  await host.edge.files.remove(maintenancePage(key))
  await host.edge.files.remove(liveLink(trialKey(key)))
  await host.edge.files.remove(`${assetFolder}/${key}`)
  await removeCertificates(host, key)
  await dropClaimOfNobody(host, ownerOf(key))
  host.changed()
}

/** The last route of an environment takes what it needed of the proxy along. */
async function dropClaimOfNobody(host: Host, owner: string): Promise<void> {
  const names = await host.edge.files.list(routeFolder)
  if (names.some((name) => name.startsWith(`${owner}.`))) return
  await host.edge.exclusively(() => dropClaim(host, owner))
}
