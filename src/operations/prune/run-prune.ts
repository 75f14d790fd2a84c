/** `stagecraft prune`: says what may go from each host, and removes it under the environment's lock. */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Host } from '../../../tasks/ports.ts'
import { bundlesFolder, composeFileName, currentLink, filesFolder } from '../../../tasks/rendering/bundle-layout.ts'
import type { ActNote } from '../../audit/acts.ts'
import type { AuditEntry } from '../../audit/chain.ts'
import type { App, ExitCode } from '../../contracts.ts'
import { parseHistory } from '../../releases/history-file.ts'
import { mergeHistory } from '../../releases/merge-history.ts'
import type { Release } from '../../releases/release.ts'
import { createReleaseStore } from '../../releases/store.ts'
import { environmentLock } from '../../session/environment-lock.ts'
import { remoteHistory } from '../../session/host-history.ts'
import { renderCount, renderSize } from '../../ui/size.ts'
import { removeLeftovers } from '../exec/one-off.ts'
import { type Answer, exitCodeOf, type Fleet } from '../fleet.ts'
import { renderedServices } from '../status/rendered-bundle.ts'
import { type PruneOptions, type PrunePlan, prunePlan, repositoryOf } from './decide.ts'
import { readStock } from './read-stock.ts'

export interface PruneRequest {
  readonly keep: number
  readonly dryRun: boolean
  readonly wants: PruneOptions['wants']
  /** Told what was done, while the lock is held. */
  readonly note?: ActNote
}

type Guard = () => Promise<void>

/** Hosts are pruned at once; one that fails loses nothing and does not hold up the others. @throws TaskFailure for a held lock. */
export async function runPrune(fleet: Fleet, request: PruneRequest, app: App): Promise<ExitCode> {
  const releases = await knownReleases(fleet, app)
  const lock = environmentLock(
    fleet.hosts.map(({ name }) => fleet.lockable(name)),
    async () => {},
  )
  try {
    if (!request.dryRun) await lock.hold()
    const answers = await fleet.ask((host) => pruneHost(fleet, host, request, releases, () => lock.verify()))
    for (const answer of answers) {
      if (answer.ok) app.stdout.write(report(answer.name, answer.value, request.dryRun))
      else
        app.stderr.write(`${answer.name}: ${answer.failure.message}${answer.failure.remedy ? `\n  try: ${answer.failure.remedy}` : ''}\n`)
    }
    if (!request.dryRun) await request.note?.({ what: 'prune', ...outcomeOf(answers, request.keep) })
    return exitCodeOf(answers)
  } finally {
    await lock.release()
  }
}

function outcomeOf(answers: readonly Answer<unknown>[], keep: number): Pick<AuditEntry, 'result' | 'detail'> {
  const pruned = answers.flatMap(({ name, ok }) => (ok ? [name] : []))
  const result = pruned.length === answers.length ? 'done' : pruned.length === 0 ? 'failed' : 'partial'
  return { result, detail: `${pruned.length === 0 ? 'no host' : pruned.join(', ')}, keeping ${renderCount(keep, 'release')}` }
}

interface Pruned extends PrunePlan {
  /** Of programs in containers of their own that nobody waits for any more. */
  readonly leftovers: readonly string[]
  /** Bytes of each path below the environment's folder. */
  readonly folderBytes: number
}

async function pruneHost(fleet: Fleet, host: Host, request: PruneRequest, releases: readonly Release[], guard: Guard): Promise<Pruned> {
  const { project, environment, services } = fleet.deployment
  const operator = fleet.operator(host.name)
  const compose = await host.files.read(`${currentLink}/${composeFileName}`)
  if (compose === undefined) return { containers: [], bundles: [], folders: [], images: [], leftovers: [], folderBytes: 0 }
  const stock = await readStock(host, operator, releases)
  const rendered = renderedServices(Buffer.from(compose).toString('utf8'))
  const built = services.flatMap(({ build }) => (build === undefined ? [] : [build.repository]))
  const released = releases.flatMap(({ images }) => Object.values(images ?? {}).map(({ ref }) => repositoryOf(ref)))
  const plan = prunePlan(stock, {
    ...{ project, environment, keep: request.keep, wants: request.wants },
    hashes: Object.fromEntries(rendered.map(({ name, hash }) => [name, hash])),
    repositories: [...new Set([...built, ...released])],
  })
  const paths = [...plan.bundles.map((name) => `${bundlesFolder}/${name}`), ...plan.folders.map((name) => `${filesFolder}/${name}`)]
  const folderBytes = await sizeOf(host, paths)
  if (request.dryRun) return { ...plan, folderBytes, leftovers: [] }
  await guard()
  const leftovers = request.wants.containers ? await removeLeftovers(fleet, host) : []
  for (const { id } of plan.containers) await guarded(guard, () => host.engine.remove(id))
  for (const path of paths) await guarded(guard, () => host.files.remove(path))
  const images = []
  for (const image of plan.images) {
    const removed = []
    for (const name of image.names) if (await guarded(guard, () => operator.removeImage(name))) removed.push(name)
    if (removed.length > 0) images.push({ names: removed, bytes: removed.length === image.names.length ? image.bytes : 0 })
  }
  host.changed()
  return { ...plan, images, leftovers, folderBytes }
}

async function guarded<T>(guard: Guard, work: () => Promise<T>): Promise<T> {
  await guard()
  return work()
}

/** What this checkout and the primary host know. @throws TaskFailure when the primary host does not answer: what it needs would not be known. */
async function knownReleases(fleet: Fleet, app: App): Promise<readonly Release[]> {
  const { primaryHost, environment } = fleet.deployment
  const store = createReleaseStore({ projectDirectory: fleet.opened.directory, env: app.env })
  const local = await store.read()
  const bytes = primaryHost === undefined ? undefined : await fleet.host(primaryHost).files.read(remoteHistory)
  const remote = bytes === undefined ? [] : parseHistory(Buffer.from(bytes).toString('utf8'), `${primaryHost}:${remoteHistory}`).releases
  return mergeHistory(local, remote).filter((release) => release.environment === environment)
}

async function sizeOf(host: Host, paths: readonly string[]): Promise<number> {
  if (paths.length === 0) return 0
  const argv = ['du', '-sk', '--', ...paths.map((path) => `${host.directory}/${path}`)] as const
  const { stdout } = await host.run({ argv: ['du', ...argv.slice(1)], timeoutMs: 60_000 }).catch((error: unknown) => {
    if (error instanceof TaskFailure && error.failure.reason === 'timeout') return { stdout: '' }
    throw error
  })
  const sizes = stdout.split('\n').map((line) => Number.parseInt(line, 10))
  return sizes.filter(Number.isFinite).reduce((sum, kilobytes) => sum + kilobytes * 1024, 0)
}

/** Images share layers, so what they free is told as a bound. */
export function report(host: string, { containers, bundles, folders, images, leftovers, folderBytes }: Pruned, dryRun: boolean): string {
  const lines = [
    ...containers.map(({ name }) => `container ${name}`),
    ...leftovers.map((name) => `container ${name} (left by exec --new)`),
    ...bundles.map((hash) => `bundle ${hash.slice(0, 12)}`),
    ...folders.map((name) => `files ${name}`),
    ...images.map(({ names, bytes }) => `image ${names[0]}${bytes > 0 ? ` (${renderSize(bytes)})` : ''}`),
  ]
  if (lines.length === 0) return `${host}: nothing to remove\n`
  const bytes = [...containers, ...images].reduce((sum, one) => sum + (one.bytes ?? 0), folderBytes)
  const verb = dryRun ? 'would remove' : 'removed'
  const freed = `${dryRun ? 'would free' : 'freed'} up to ${renderSize(bytes)}`
  return `${host}: ${verb} ${renderCount(lines.length, 'thing')}, ${freed}\n${lines.map((line) => `  ${line}\n`).join('')}`
}

export const allKinds: PruneOptions['wants'] = { containers: true, bundles: true, images: true }
