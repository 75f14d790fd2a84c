/** Makes exactly these containers get the requests, and has the proxy say so before it returns. */

import { faultPoint } from '../fault-point.ts'
import { TaskFailure } from '../kind.ts'
import { ask } from './ask.ts'
import { liveHost } from './caddy-route.ts'
import { liveFolder, liveLink, modes, routeFile, routeFolder, trialKey } from './layout.ts'
import type { Upstream } from './route.ts'
import { shareFiles, shareFolder } from './shares.ts'
import { edgeState, runningProxy, type Site } from './site.ts'
import { loadedServers, serverUrls } from './traefik-api.ts'
import { traefikText } from './traefik-route.ts'

const confirmMs = 10_000
const pauseMs = 50

/** @throws TaskFailure when the proxy does not show them in time. What it had before may then still be in place, or not. */
export async function publish(site: Site, upstreams: readonly Upstream[]): Promise<void> {
  const { host, route, context } = site
  const proxy = await runningProxy(site)
  await context.guard()
  if (!proxy.networks.includes(route.network)) await host.engine.joinNetwork(route.network, proxy.id)
  if (route.provider === 'caddy') await pointCaddy(site, upstreams)
  else await writeTraefik(site, upstreams)
  host.changed()
  await confirm(site, upstreams)
}

/** Makes these answer under the name for trials, and no user. Only Caddy can. */
export async function publishTrial(site: Site, upstreams: readonly Upstream[]): Promise<void> {
  const { host, route, context } = site
  const { files } = host.edge
  const key = trialKey(route.key)
  const folder = shareFolder(key, upstreams)
  const proxy = await runningProxy(site)
  await context.guard()
  if (!proxy.networks.includes(route.network)) await host.engine.joinNetwork(route.network, proxy.id)
  await writeShares(site, folder, upstreams)
  await files.point(liveLink(key), folder)
  faultPoint('trial-published')
}

/** Whatever became of it. */
export async function endTrial({ host, route }: Site, upstreams: readonly Upstream[]): Promise<void> {
  const key = trialKey(route.key)
  await host.edge.files.remove(liveLink(key))
  await host.edge.files.remove(`${liveFolder}/${shareFolder(key, upstreams)}`)
}

async function writeShares({ host: { edge } }: Site, folder: string, upstreams: readonly Upstream[]): Promise<void> {
  await edge.files.makeDirectory(`${liveFolder}/${folder}`, modes.folder)
  const names = shareFiles(upstreams).map((name) => `${liveFolder}/${folder}/${name}`)
  await Promise.all(names.map((name) => edge.files.write(name, new Uint8Array(), modes.page)))
}

/** One rename decides, so a request sees the old containers or the new ones, never half of each. */
async function pointCaddy(site: Site, upstreams: readonly Upstream[]): Promise<void> {
  const { host, route } = site
  const { files } = host.edge
  const folder = shareFolder(route.key, upstreams)
  const before = (await edgeState(site)).routes[route.key]?.live
  if (before === folder) return
  await writeShares(site, folder, upstreams)
  faultPoint('set-written')
  await files.point(liveLink(route.key), folder)
  faultPoint('set-live')
  if (before?.startsWith('.sets/')) await files.remove(`${liveFolder}/${before}`)
}

async function writeTraefik(site: Site, upstreams: readonly Upstream[]): Promise<void> {
  const { host, route } = site
  await host.edge.files.makeDirectory(routeFolder, modes.folder)
  await host.edge.files.write(routeFile('traefik', route.key), Buffer.from(traefikText(site, upstreams)), modes.file)
}

async function confirm(site: Site, upstreams: readonly Upstream[]): Promise<void> {
  const { host, route, context } = site
  const deadline = Date.now() + confirmMs
  let seen = 'nothing'
  while (Date.now() < deadline && !context.signal.aborted) {
    const answer = route.provider === 'caddy' ? await caddySees(site) : await loadedServers(site)
    const wanted = route.provider === 'caddy' ? (shareFiles(upstreams)[0] ?? 'none') : serverUrls(upstreams).join(' ')
    if (answer === wanted) return
    seen = answer
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  if (context.signal.aborted) {
    throw new TaskFailure({
      reason: 'interrupted',
      subject: route.key,
      message: `the swap of ${route.key} on ${host.name} was interrupted`,
    })
  }
  throw new TaskFailure({
    reason: 'timeout',
    subject: `${route.key} on ${host.name}`,
    message: `the proxy on ${host.name} did not take over the containers of ${route.key} within ${confirmMs / 1000} s (it has ${seen})`,
    remedy: `look at its output on ${host.name}: docker logs stagecraft-edge-proxy-1`,
  })
}

async function caddySees(site: Site): Promise<string> {
  const answer = await ask(site, { name: liveHost(site.route.key), path: '/' })
  return answer.status === 200 ? answer.body.replace(/^\//, '') : answer.problem
}
