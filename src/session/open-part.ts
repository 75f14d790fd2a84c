/** The project, and the part of its fleet that a person means. */
import type { z } from 'zod'
import type { App, GlobalOptions } from '../contracts.ts'
import { openProject, type Project } from './open-project.ts'
import type { fleetOptions } from './run-options.ts'

/**
 * Asked to do without hosts that do not answer, it looks for them first: what is left is planned as if they did not exist.
 * @throws InputError
 */
export async function openPart(
  input: Partial<z.output<typeof fleetOptions>> & { readonly version?: string | undefined; readonly targets: readonly string[] },
  globals: GlobalOptions,
  app: App,
): Promise<Project> {
  const { host, role, services } = input
  const open = (unreachable?: readonly string[]) =>
    openProject(globals, app, {
      ...{ version: input.version, targets: input.targets, writes: !globals.dryRun },
      fleet: { host, role, services, unreachable },
    })
  const whole = await open()
  if (!input.allowUnreachable || whole.deployment.hosts.length === 0) return whole
  const { unreachableHosts } = await import('./unreachable-hosts.ts')
  const gone = await unreachableHosts(whole, app)
  if (gone.length === 0) return whole
  app.stderr.write(`warning: without ${gone.join(', ')}: no answer\n`)
  return open(gone)
}
