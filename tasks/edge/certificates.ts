/** Certificates that the project gives, for whichever proxy there is. Another certificate is another folder, so the proxy's settings name it. */
import type { Host } from '../ports.ts'
import { certificateFolder, modes } from './layout.ts'
import { openRouteSecrets } from './secrets.ts'
import type { Site } from './site.ts'

/** Before the settings that name them are loaded. */
export async function writeCertificates(site: Site): Promise<void> {
  const { host, route, context } = site
  const name = certificateName(site)
  if (name === undefined || route.tls.mode !== 'files') return
  const { secrets } = context.ports
  const folder = `${certificateFolder}/${name}`
  await host.edge.files.makeDirectory(folder, 0o700)
  await host.edge.files.write(`${folder}/certificate.pem`, Buffer.from(secrets.get(route.tls.certificateSecret)), modes.file)
  await host.edge.files.write(`${folder}/key.pem`, Buffer.from(secrets.get(route.tls.keySecret)), modes.file)
}

/** After settings that name others, or none, are in place. */
export async function removeOldCertificates(site: Site): Promise<void> {
  await removeCertificates(site.host, site.route.key, certificateName(site))
}

/** All of a service but one. */
export async function removeCertificates(host: Host, key: string, kept?: string): Promise<void> {
  const names = await host.edge.files.list(certificateFolder)
  const mine = names.filter((name) => name.startsWith(`${key}-`) && /^[0-9a-f]{16}$/.test(name.slice(key.length + 1)))
  for (const name of mine.filter((found) => found !== kept)) await host.edge.files.remove(`${certificateFolder}/${name}`)
}

/** Of its folder; undefined for a route that is given none. */
function certificateName({ route, context }: Site): string | undefined {
  if (route.tls.mode !== 'files' || route.open === null) return undefined
  return `${route.key}-${openRouteSecrets(route, context.ports.secrets).certificate}`
}
