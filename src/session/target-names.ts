/** What `run`, `graph` and `explain` can be completed with: built-in targets, and the tasks of the environment. */
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import { openProject } from './open-project.ts'
import { builtInTargets } from './targets.ts'

type Asker = Pick<GlobalOptions, 'config' | 'env'>

/** Ids of every task; without `--env`, those of the only environment. @throws InputError when there is nothing to go by. */
export async function taskIds(asker: Asker, app: App): Promise<readonly string[]> {
  const env = asker.env ?? (await onlyEnvironment(asker, app))
  if (env === undefined) return []
  const { graph } = await openProject({ ...asker, env, verbose: false, quiet: true, dryRun: true }, app)
  return graph.order
}

export async function targetNames(asker: Asker, app: App): Promise<readonly string[]> {
  return [...builtInTargets, ...(await taskIds(asker, app))]
}

async function onlyEnvironment({ config }: Asker, app: App): Promise<string | undefined> {
  const loaded = await loadConfig(resolve(app.cwd, config))
  const names = loaded.ok ? Object.keys(loaded.value.config.environments) : []
  return names.length === 1 ? names[0] : undefined
}
