/** From the release that is gone back to, to what is deployed of it. Pure. */
import type { Checked } from '../../graph/types.ts'
import type { Deployment } from '../contracts.ts'
import type { Pins } from '../pipelines/pins.ts'
import type { ReleaseVersion } from '../release-version.ts'
import { rollbackImages } from '../releases/rollback-images.ts'
import { migratedSince, type RollbackChoice } from '../releases/rollback-target.ts'
import { shortVersion } from '../ui/short-version.ts'
import { composeHash } from './compose-hash.ts'
import type { Rollback, RollbackOrder } from './open-project.ts'

export interface OpenRollback {
  readonly rollback: Rollback
  readonly pins: Pins
  /** Version and commit as they were recorded. */
  readonly release: ReleaseVersion
}

/** The Compose file and the manifest are those of today; images are those of then. */
export function openRollback({ choice, releases, reason }: RollbackOrder, deployment: Deployment): Checked<OpenRollback> {
  const { target, current } = choice
  const ours = deployment.services.flatMap(({ name, build }) => (build ? [{ name, repository: build.repository }] : []))
  const images = rollbackImages(target, releases, ours)
  if (!images.ok) return images
  const migrated = migratedSince(releases, target).map(({ id }) => id)
  const isOther = target.compose_hash !== undefined && target.compose_hash !== composeHash(deployment)
  const notices = [
    ...passedOver(choice),
    ...(migrated.length > 0 ? [`migrations ran since then, in ${migrated.join(', ')}: the database stays as it is, none is undone`] : []),
    ...(isOther ? [`the Compose file is not the one of ${target.id}: what it says today is deployed with the images of then`] : []),
    ...images.value.notices,
  ]
  return {
    ok: true,
    value: {
      rollback: { from: current?.id, to: target.id, notices, ...(reason === undefined ? {} : { reason }) },
      pins: images.value.pins,
      release: { version: target.version, ...(target.commit_sha === '' ? {} : { commit: target.commit_sha }) },
    },
  }
}

function passedOver({ passed, isMixed, target, current }: RollbackChoice): string[] {
  const left = passed.map(({ release, why }) => `${release.id} (${shortVersion(release.version)}) is passed over: ${why}`)
  const again = `a later release failed and left hosts behind: the way back is to ${target.id}, the last good one`
  return isMixed && target.id === current?.id ? [again, ...left] : left
}
