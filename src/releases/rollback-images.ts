/** Which image each service of ours runs after a rollback. Pure. */
import type { Checked, Diagnostic } from '../../graph/types.ts'
import { newestFirst, type Release, type ReleaseImage } from './release.ts'

export interface PinnedImage {
  readonly repository: string
  /** Null: the tag of the version decides. */
  readonly digest: string | null
  readonly version: string
  readonly release: string
  /** How it came to hosts; absent: through a registry. */
  readonly transfer?: 'ssh'
}

export interface RollbackImages {
  readonly pins: Readonly<Record<string, PinnedImage>>
  /** What a person should know of services that came or went since. */
  readonly notices: readonly string[]
}

/**
 * The images the target recorded. A service that came later keeps what it runs. A target from before images were recorded is found by its
 * version's tag.
 * @param services those of today that we build, and where their images go.
 */
export function rollbackImages(
  target: Release,
  releases: readonly Release[],
  services: readonly { readonly name: string; readonly repository: string }[],
): Checked<RollbackImages> {
  const pins: Record<string, PinnedImage> = {}
  const notices: string[] = []
  const diagnostics: Diagnostic[] = []
  const { images, version, id } = target
  for (const { name, repository } of services) {
    const recorded = images?.[name]
    const kept = recorded ? target : newestWith(name, releases, target)
    const image = kept?.images?.[name]
    if (recorded) pins[name] = { repository: recorded.ref, digest: recorded.digest, version, release: id, ...cameBy(recorded) }
    else if (images === undefined) pins[name] = { repository, digest: null, version, release: id }
    else if (kept && image) {
      pins[name] = { repository: image.ref, digest: image.digest, version: kept.version, release: kept.id, ...cameBy(image) }
      notices.push(`${name} was not part of ${id}: it keeps the image of ${kept.id} (${kept.version})`)
    } else {
      const message = `no release has an image of ${name}, which is in the Compose file: take it out, or check ${version} out and deploy`
      diagnostics.push({ code: 'SC3156', severity: 'error', message })
    }
  }
  const known = new Set(services.map(({ name }) => name))
  const left = Object.keys(images ?? {}).filter((name) => !known.has(name))
  for (const name of left.sort()) notices.push(`${name} was part of ${id} and is not built by the Compose file of today: it stays away`)
  return diagnostics.length > 0 ? { ok: false, diagnostics } : { ok: true, value: { pins, notices } }
}

function cameBy({ transfer }: ReleaseImage): Pick<PinnedImage, 'transfer'> {
  return transfer === undefined ? {} : { transfer }
}

function newestWith(service: string, releases: readonly Release[], { environment }: Release): Release | undefined {
  return newestFirst(releases).find(
    (release) => release.environment === environment && release.phases.finalize === 'completed' && release.images?.[service] !== undefined,
  )
}
