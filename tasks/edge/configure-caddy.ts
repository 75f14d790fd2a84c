/** Gives Caddy a service's part of its configuration, or takes it away. Nothing else changes, and a part Caddy refuses leaves all as it was. */
import { createHash } from 'node:crypto'
import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import type { Host } from '../ports.ts'
import { type CaddyParts, caddyConfig, fragmentText, innerPortsOf, parseFragment, partsOf } from './caddy-config.ts'
import { type CaddyFragment, caddyRoute } from './caddy-route.ts'
import { removeOldCertificates, writeCertificates } from './certificates.ts'
import { assembledFile, modes, mountPoint, recordedLink, routeFile, routeFolder } from './layout.ts'
import { readClaims } from './needs.ts'
import { openRouteSecrets } from './secrets.ts'
import { edgeState, runningProxy, type Site } from './site.ts'

const nextFile = 'caddy.next.json'

/** @returns the text of the service's own file. */
export function caddyText({ route, context }: Site): string {
  return fragmentText(caddyRoute(route, openRouteSecrets(route, context.ports.secrets)))
}

/**
 * Gives services that have no part yet theirs, in one load for all of them; none for a proxy that is about to start. Nobody is
 * served by them before containers are published. Call under the edge's lock.
 * @throws TaskFailure when Caddy refuses them: it goes on with what it had.
 */
export async function addToCaddy(sites: readonly Site[], isStarting: boolean): Promise<void> {
  const [first] = sites
  if (!first) return
  const { host, context } = first
  for (const site of sites) await writeCertificates(site)
  const texts = sites.map((site) => [site.route, caddyText(site)] as const)
  const { parts, ports } = await current(host)
  const all: CaddyParts = new Map([...parts, ...texts.map(([{ key }, text]) => [key, parseFragment(text) as CaddyFragment] as const)])
  const wanted = withPorts(
    ports,
    sites.map(({ route }) => route.innerPort),
  )
  if (isStarting) await write(host, caddyConfig(all, wanted))
  else await load(host, (await runningProxy(first)).id, all, wanted, context.log)
  for (const [{ key }, text] of texts) await host.edge.files.write(routeFile('caddy', key), Buffer.from(text), modes.file)
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
    const { parts, ports } = await current(host)
    await load(host, proxy.id, new Map([...parts, [route.key, fragment]]), withPorts(ports, [route.innerPort]), context.log)
    await host.edge.files.makeDirectory(routeFolder, modes.folder)
    await host.edge.files.write(routeFile('caddy', route.key), Buffer.from(text), modes.file)
    await removeOldCertificates(site)
  })
  host.changed()
}

/** Routes go before the containers they lead to. */
export async function forgetInCaddy(host: Host, keys: readonly string[], log: (line: string) => void): Promise<void> {
  const { proxy } = await edgeState({ host })
  await host.edge.exclusively(async () => {
    const { parts: before, ports: found } = await current(host)
    const parts = new Map([...before].filter(([key]) => !keys.includes(key)))
    const ports = withPorts(found, [])
    if (parts.size < before.size) {
      if (proxy?.isRunning) await load(host, proxy.id, parts, ports, log)
      // It would come back with the proxy.
      else await write(host, caddyConfig(parts, ports))
    }
    for (const key of keys) await host.edge.files.remove(routeFile('caddy', key))
  })
  host.changed()
}

/** An empty configuration for a proxy that starts for the first time; routes that are there stay. Call under the edge's lock. */
export async function prepareCaddy(host: Host, innerPorts: readonly number[]): Promise<void> {
  const { files } = host.edge
  const current = await files.read(assembledFile)
  const parts = current && partsOf(decode(current))
  const text = caddyConfig(parts ?? (await partsOfFiles(host)), innerPorts)
  if (current && decode(current) === text) return
  await write(host, text)
}

/** As the assembled file has them; when a person has broken that one, as the services' own files do. */
async function current(host: Host): Promise<{ readonly parts: CaddyParts; readonly ports: readonly number[] }> {
  const bytes = await host.edge.files.read(assembledFile)
  const text = bytes ? decode(bytes) : ''
  const ports = [...innerPortsOf(text), ...Object.values((await readClaims(host)) ?? {}).flatMap((one) => one.ports)]
  return { parts: partsOf(text) ?? (await partsOfFiles(host)), ports }
}

function withPorts(ports: readonly number[], more: readonly number[]): readonly number[] {
  return [...new Set([...ports, ...more])].sort((a, b) => a - b)
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
async function load(
  host: Host,
  proxy: string,
  parts: CaddyParts,
  innerPorts: readonly number[],
  log: (line: string) => void,
): Promise<void> {
  const { files } = host.edge
  const text = caddyConfig(parts, innerPorts)
  await files.write(nextFile, Buffer.from(text), modes.file)
  log(`loading the configuration of the proxy on ${host.name}: WebSockets through it are cut, and open again`)
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

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
