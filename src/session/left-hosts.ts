/** Hosts that the release before was on and this one is not: nobody looks after what is left there. */
import type { App } from '../contracts.ts'
import { currentRelease, type Release } from '../releases/release.ts'
import { createReleaseStore } from '../releases/store.ts'
import type { Project } from './open-project.ts'

/** What to tell of each, once: after the first release without it. */
export async function leftHosts(release: Release, { deployment, directory }: Project, app: App): Promise<string[]> {
  const releases = await createReleaseStore({ projectDirectory: directory, env: app.env }).read()
  const before = currentRelease(
    releases.filter(({ id }) => id < release.id),
    deployment.environment,
  )
  return farewells(before?.hosts ?? {}, deployment)
}

/** @param before addresses by name. A host that only has another name now is still there. */
export function farewells(before: Readonly<Record<string, string>>, deployment: Project['deployment']): string[] {
  const addresses = new Set(deployment.hosts.map(({ address }) => address))
  return Object.entries(before)
    .filter(([, address]) => !addresses.has(address))
    .map(([name, address]) => {
      const who = name === address ? name : `${name} (${address})`
      const cleaning = `docker compose --project-name ${deployment.composeProject} down && rm -r ${deployment.directory}`
      return `${who} is no longer a host of ${deployment.environment}; what runs there stays. To clean up, run on it: ${cleaning}`
    })
}
