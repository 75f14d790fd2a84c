/** Everything a deploy would trip over, looked for at once. */
import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.ts'
import type { App, GlobalOptions } from '../../contracts.ts'
import { type RunProcess, runProcess } from '../../hosts/process.ts'
import { createRegistry } from '../../hosts/registry.ts'
import { mayPush } from '../../hosts/registry-push-right.ts'
import { type Fleet, withFleet } from '../fleet.ts'
import type { Check } from './check.ts'
import { checkDatabases } from './databases.ts'
import { checkHosts } from './hosts.ts'
import { checkImages, type ImageAccess } from './images.ts'
import { checkMachine } from './machine.ts'
import { type CheckedProject, checkProject } from './project.ts'

export interface DoctorOptions {
  readonly run?: RunProcess
  readonly images?: ImageAccess
  /** For tests: a fleet that is none. */
  readonly openFleet?: typeof withFleet
}

/** One environment, or each there is. A section after the other, each in an order of its own that does not change. */
export async function examine(globals: GlobalOptions, app: App, options: DoctorOptions = {}): Promise<readonly Check[]> {
  const { run = runProcess, openFleet = withFleet } = options
  const images = options.images ?? {
    registry: createRegistry({ environment: app.env, signal: app.signal }),
    mayPush: (repository) => mayPush(repository, { environment: app.env, signal: app.signal }),
  }
  const environments = globals.env === undefined ? await environmentNames(globals, app) : [globals.env]
  const projects = await Promise.all(environments.map((name) => checkProject(name, globals, app, run)))
  const builds = projects.some(
    ({ opened }) => opened === undefined || opened.deployment.deployment.services.some(({ build }) => build !== undefined),
  )
  const [machine, ...parts] = await Promise.all([
    checkMachine({ run, nodeVersion: process.versions.node, signal: app.signal, builds }),
    ...projects.map((project) => examineEnvironment(project, environments.length > 1, images, globals, app, openFleet)),
  ])
  return [...machine, ...parts.flat()]
}

async function examineEnvironment(
  { checks, opened }: CheckedProject,
  isOneOfSeveral: boolean,
  images: ImageAccess,
  globals: GlobalOptions,
  app: App,
  openFleet: typeof withFleet,
): Promise<readonly Check[]> {
  if (opened === undefined || opened.deployment.deployment.hosts.length === 0) return checks
  const { deployment } = opened.deployment
  const { environment } = deployment
  const prefix = isOneOfSeveral ? `${environment}: ` : ''
  const look = async (fleet: Fleet) => {
    const [imageChecks, hostChecks] = await Promise.all([checkImages(environment, deployment, images), checkHosts(fleet, prefix, app)])
    // A host that does not answer has been told of; its databases cannot be asked.
    const databaseChecks = await checkDatabases(environment, fleet, opened.secrets)
    return [...checks, ...imageChecks, ...databaseChecks, ...hostChecks]
  }
  return openFleet({}, { ...globals, env: environment }, app, look)
}

/** Undefined stands for a manifest that cannot be read: what is wrong with it is told by whoever opens it. */
async function environmentNames(globals: GlobalOptions, app: App): Promise<readonly (string | undefined)[]> {
  const loaded = await loadConfig(resolve(app.cwd, globals.config))
  return loaded.ok ? Object.keys(loaded.value.config.environments).sort() : [undefined]
}
