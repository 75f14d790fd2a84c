/** Gives Caddy a service's part of its configuration, or takes it away. Nothing else changes, and a part Caddy refuses leaves all as it was. */
import { createHash } from 'node:crypto'
import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { Host } from '../ports.ts'
import { type CaddyParts, caddyConfig, fragmentText, parseFragment, partsOf } from './caddy-config.ts'
import { type CaddyFragment, caddyRoute } from './caddy-route.ts'
import { assembledFile, certificateFolder, modes, mountPoint, recordedLink, routeFile, routeFolder } from './layout.ts'
import { openRouteSecrets } from './secrets.ts'
import { edgeState, runningProxy, type Site } from './site.ts'

const nextFile = 'caddy.next.json'

/** @returns the text of the service's own file. */
export function caddyText({ route, context }: Site): string {
  return fragmentText(caddyRoute(route, openRouteSecrets(route, context.ports.secrets)))
}

/** @throws TaskFailure when Caddy refuses it: it goes on with what it had. */
export async function configureCaddy(site: Site): Promise<void> {
  const { host, route, context } = site
  const text = caddyText(site)
  const fragment = parseFragment(text) as CaddyFragment
  const proxy = await runningProxy(site)
  await host.edge.exclusively(async () => {
    await context.guard()
    await writeCertificates(site)
    const parts = new Map(await currentParts(host))
    parts.set(route.key, fragment)
    await load(host, proxy.id, parts, route.innerPort, context.log)
    await host.edge.files.makeDirectory(routeFolder, modes.folder)
    await host.edge.files.write(routeFile('caddy', route.key), Buffer.from(text), modes.file)
  })
  host.changed()
}

/** Routes go before the containers they lead to. */
export async function forgetInCaddy(host: Host, key: string, innerPort: number, log: (line: string) => void): Promise<void> {
  const { proxy } = await edgeState({ host })
  await host.edge.exclusively(async () => {
    const parts = new Map(await currentParts(host))
    if (parts.delete(key)) {
      if (proxy?.isRunning) await load(host, proxy.id, parts, innerPort, log)
      // It would come back with the proxy.
      else await write(host, caddyConfig(parts, innerPort))
    }
    await host.edge.files.remove(routeFile('caddy', key))
  })
  host.changed()
}

/** An empty configuration for a proxy that starts for the first time; whatever is there stays. Call under the edge's lock. */
export async function prepareCaddy(host: Host, innerPort: number): Promise<void> {
  const { files } = host.edge
  const current = await files.read(assembledFile)
  const parts = current && partsOf(decode(current))
  const text = caddyConfig(parts ?? (await partsOfFiles(host)), innerPort)
  if (current && decode(current) === text) return
  await write(host, text)
}

/** As the assembled file has them; when a person has broken that one, as the services' own files do. */
async function currentParts(host: Host): Promise<CaddyParts> {
  const current = await host.edge.files.read(assembledFile)
  return (current && partsOf(decode(current))) ?? (await partsOfFiles(host))
}

async function partsOfFiles(host: Host): Promise<CaddyParts> {
  const { files } = host.edge
  const names = (await files.list(routeFolder)).filter((name) => name.endsWith('.json'))
  const found = await Promise.all(
    names.map(async (name) => {
      const bytes = await files.read(`${routeFolder}/${name}`)
      const fragment = bytes && parseFragment(decode(bytes))
      return fragment ? [[name.replace(/\.json$/, ''), fragment] as const] : []
    }),
  )
  return new Map(found.flat())
}

/** Loaded first, kept second: what Caddy starts with after a reboot is always something it has accepted. */
async function load(host: Host, proxy: string, parts: CaddyParts, innerPort: number, log: (line: string) => void): Promise<void> {
  const { files } = host.edge
  const text = caddyConfig(parts, innerPort)
  await files.write(nextFile, Buffer.from(text), modes.file)
  log(`loading the configuration of the proxy on ${host.name}`)
  const exit = await host.engine.exec(proxy, ['caddy', 'reload', '--config', `${mountPoint}/${nextFile}`])
  await files.remove(nextFile)
  if (exit.code !== 0) {
    throw new TaskFailure({
      reason: 'refused',
      subject: host.name,
      message: `the proxy on ${host.name} refused its configuration, and goes on with what it had`,
      output: `${exit.stdout}\n${exit.stderr}`
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-5),
      remedy: 'mend the service’s `route` in the manifest and deploy again',
    })
  }
  faultPoint('edge-loaded')
  await write(host, text)
  faultPoint('edge-kept')
}

async function write(host: Host, text: string): Promise<void> {
  await host.edge.files.write(assembledFile, Buffer.from(text), modes.file)
  await host.edge.files.point(recordedLink, createHash('sha256').update(text).digest('hex'))
}

/** Certificates that the project gives, for whichever proxy there is. */
export async function writeCertificates({ host, route, context }: Site): Promise<void> {
  if (route.tls.mode !== 'files' || route.open === null) return
  const { secrets } = context.ports
  const folder = `${certificateFolder}/${route.key}-${openRouteSecrets(route, secrets).certificate}`
  await host.edge.files.makeDirectory(folder, 0o700)
  await host.edge.files.write(`${folder}/certificate.pem`, Buffer.from(secrets.get(route.tls.certificateSecret)), modes.file)
  await host.edge.files.write(`${folder}/key.pem`, Buffer.from(secrets.get(route.tls.keySecret)), modes.file)
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
