/**
 * What may go from a host: reachability, as a garbage collector sees it. Roots are all containers, the releases that are kept of every
 * environment of every project, and their bundles. Only what is certainly ours and reached from no root goes; volumes never do. Pure.
 */
import type { HeldContainer, HeldImage } from '../../hosts/engine-stock.ts'

/** One environment's folder on the host. */
export interface EnvironmentStock {
  /** Absolute. */
  readonly directory: string
  /** Hashes of its bundles, the one last made current first. */
  readonly bundles: readonly string[]
  /** Image references in each bundle's Compose file, by hash. */
  readonly images: Readonly<Record<string, readonly string[]>>
  /** Names in `files/` that each bundle mounts, by hash. */
  readonly mounted: Readonly<Record<string, readonly string[]>>
  /** What releases run, the newest first: `repository@digest`, of those that went all the way. */
  readonly releases: readonly (readonly string[])[]
}

export interface HostStock {
  readonly containers: readonly HeldContainer[]
  readonly images: readonly HeldImage[]
  /** Ours. */
  readonly own: EnvironmentStock
  /** Names in our `files/`. */
  readonly folders: readonly string[]
  readonly others: readonly EnvironmentStock[]
  /** References that a deploy of ours pulled for services that are not built from this project. */
  readonly pulled: readonly string[]
}

export interface PruneOptions {
  readonly project: string
  readonly environment: string
  /** Releases, and bundles, that are kept of this environment. */
  readonly keep: number
  /** Of images built from this project. */
  readonly repositories: readonly string[]
  /** Content hash of each service in the bundle that is current. */
  readonly hashes: Readonly<Record<string, string>>
  readonly wants: { readonly containers: boolean; readonly bundles: boolean; readonly images: boolean }
}

export interface PrunePlan {
  readonly containers: readonly HeldContainer[]
  readonly bundles: readonly string[]
  readonly folders: readonly string[]
  readonly images: readonly DoomedImage[]
}

export interface DoomedImage {
  /** Names to take away. */
  readonly names: readonly string[]
  /** What that frees: nothing while it has names of others. */
  readonly bytes: number
}

/** Other environments keep what they have; this many of their releases, beside their bundles. */
const keptOfOthers = 10

export function prunePlan(stock: HostStock, options: PruneOptions): PrunePlan {
  const { wants } = options
  const containers = wants.containers ? stock.containers.filter((container) => isSuperseded(container, options)) : []
  const kept = stock.own.bundles.slice(0, Math.max(1, options.keep))
  const bundles = wants.bundles ? stock.own.bundles.slice(kept.length) : []
  const remaining = stock.containers.filter((container) => !containers.includes(container))
  const folders = wants.bundles ? unmountedFolders(stock, kept, remaining) : []
  const images = wants.images ? unneededImages(stock, { ...options, bundles: wants.bundles ? kept : stock.own.bundles, remaining }) : []
  return { containers, bundles, folders, images }
}

/** Stopped, of this environment, and of another definition than the current one; what is stopped of the current one is for a deploy to repair. */
function isSuperseded({ labels, isRunning }: HeldContainer, { project, environment, hashes }: PruneOptions): boolean {
  if (isRunning || labels['stagecraft.project'] !== project || labels['stagecraft.env'] !== environment) return false
  return hashes[labels['stagecraft.service'] ?? ''] !== labels['stagecraft.hash']
}

/** A container keeps the folders it mounts, whichever bundle it was made from. */
function unmountedFolders({ own, folders }: HostStock, kept: readonly string[], containers: readonly HeldContainer[]): readonly string[] {
  const mounted = new Set(kept.flatMap((bundle) => own.mounted[bundle] ?? []))
  return folders.filter((name) => {
    const path = `${own.directory}/files/${name}`
    return !mounted.has(name) && !containers.some(({ mounts }) => mounts.some((mount) => mount === path || mount.startsWith(`${path}/`)))
  })
}

interface Reach extends PruneOptions {
  readonly bundles: readonly string[]
  readonly remaining: readonly HeldContainer[]
}

function unneededImages(stock: HostStock, { keep, repositories, bundles, remaining }: Reach): readonly DoomedImage[] {
  const { own, others } = stock
  const needed = new Set([
    ...bundles.flatMap((bundle) => own.images[bundle] ?? []),
    ...own.releases.slice(0, Math.max(1, keep)).flat(),
    ...others.flatMap((other) => Object.values(other.images).flat()),
    ...others.flatMap((other) => other.releases.slice(0, keptOfOthers).flat()),
  ])
  const used = new Set(remaining.map(({ imageId }) => imageId))
  const pulled = new Set(stock.pulled)
  const isOurs = (name: string) => repositories.includes(repositoryOf(name)) || pulled.has(name)
  return stock.images.flatMap((image) => {
    if (used.has(image.id) || needed.has(image.id)) return []
    const names = [...image.tags, ...image.digests]
    // Equal builds are one image under names of several projects: what another needs keeps its name, not ours.
    const kept = new Set(names.filter((name) => needed.has(name)).map(repositoryOf))
    const ours = namesOf(image, isOurs).filter((name) => !kept.has(repositoryOf(name)))
    if (ours.length === 0) return []
    return [{ names: ours, bytes: ours.length === names.length ? image.bytes : 0 }]
  })
}

/** A name by tag is ours; so are the digests of its repository, which the Engine keeps beside it. */
function namesOf({ tags, digests }: HeldImage, isOurs: (name: string) => boolean): readonly string[] {
  const ourTags = tags.filter(isOurs)
  const repositories = new Set(ourTags.map(repositoryOf))
  return [...ourTags, ...digests.filter((digest) => isOurs(digest) || repositories.has(repositoryOf(digest)))]
}

/** `registry:5000/shop/web:1@sha256:…` is of `registry:5000/shop/web`. */
export function repositoryOf(name: string): string {
  const [withoutDigest = ''] = name.split('@')
  return withoutDigest.replace(/:[^:/]*$/, '')
}
