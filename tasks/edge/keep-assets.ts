/** Copies an outgoing release's files out of its container, so that pages loaded before the swap still find them. */
import { digestOf } from '../../graph/fingerprint.ts'
import type { Container } from '../ports.ts'
import { assetFolder, modes } from './layout.ts'
import type { Site } from './site.ts'

/** Folders are named `<seconds since 1970>-<content hash>`: the oldest go first. Releases after which `keep_minutes` passed are forgotten at the next swap. */
export async function keepAssets(site: Site, outgoing: readonly Container[]): Promise<void> {
  const { host, route, context } = site
  const [container] = outgoing
  if (route.assets === null || container === undefined) return
  const { files, directory } = host.edge
  const folder = `${assetFolder}/${route.key}`
  const nowSeconds = Math.floor(Date.now() / 1000)
  const kept = await files.list(folder)
  for (const name of kept) {
    const ageSeconds = nowSeconds - Number(name.split('-')[0])
    if (!(ageSeconds <= route.assets.keepMinutes * 60)) await files.remove(`${folder}/${name}`)
  }
  const hash = digestOf(container.hash).slice(0, 16)
  if (kept.some((name) => name.endsWith(`-${hash}`))) return
  const target = `${folder}/${nowSeconds}-${hash}${route.assets.path}`
  await context.guard()
  await files.makeDirectory(target, modes.folder)
  const argv = ['docker', 'cp', `${container.id}:${route.assets.directory}/.`, `${directory}/${target}`] as const
  const exit = await host.run({ argv, timeoutMs: 120_000 })
  // Users with an old page miss a file; that is no reason to keep everybody on the old release.
  if (exit.code !== 0) context.log(`files of ${container.name} were not kept: ${exit.stderr.trim()}`)
}
