import { faultPoint } from '../fault-point.ts'
import type { Host } from '../ports.ts'
import { removeCertificates } from './certificates.ts'
import { forgetInCaddy } from './configure-caddy.ts'
import { assetFolder, liveFolder, liveLink, maintenancePage, ownerOf, routeFile, routeFolder, setFolder, trialKey } from './layout.ts'
import { dropClaim } from './needs.ts'

/** Takes routes of one environment from a machine, and all that was kept for them, before their containers go. Caddy loads its configuration once for all of them. */
export async function forgetRoutes(host: Host, keys: readonly string[], log: (line: string) => void): Promise<void> {
  const state = (await host.observe()).edge
  const { files } = host.edge
  if (state?.proxy?.labels['provider'] === 'traefik') for (const key of keys) await files.remove(routeFile('traefik', key))
  else await forgetInCaddy(host, keys, log)
  faultPoint('route-forgotten')
  for (const key of keys) {
    const live = state?.routes[key]?.live
    await files.remove(liveLink(key))
    if (live?.startsWith(`${setFolder}/${key}-`)) await files.remove(`${liveFolder}/${live}`)
    await files.remove(maintenancePage(key))
    await files.remove(liveLink(trialKey(key)))
    await files.remove(`${assetFolder}/${key}`)
    await removeCertificates(host, key)
  }
  for (const owner of new Set(keys.map(ownerOf))) await dropClaimOfNobody(host, owner)
  host.changed()
}

/** The last route of an environment takes what it needed of the proxy along. */
async function dropClaimOfNobody(host: Host, owner: string): Promise<void> {
  const names = await host.edge.files.list(routeFolder)
  if (names.some((name) => name.startsWith(`${owner}.`))) return
  await host.edge.exclusively(() => dropClaim(host, owner))
}
