/** Program of a test: appends `count` releases of `environment` to the history of a project, each in an update of its own. */
import { nextReleaseId } from '../../src/releases/release.ts'
import { createReleaseStore } from '../../src/releases/store.ts'
import { release } from './releases.ts'

const [projectDirectory = '', environment = '', count = '0'] = process.argv.slice(2)
const store = createReleaseStore({ projectDirectory, lockWaitMs: 60_000 })
for (let index = 0; index < Number(count); index += 1) {
  await store.update((releases) => {
    const last = releases
      .map(({ id }) => id)
      .sort()
      .at(-1)
    return [...releases, release(nextReleaseId(new Date(), last), { environment })]
  })
}
