/** What `run`, `graph` and `explain` can be completed with: tasks and pipelines of the manifest, built-in targets, ids. */
import { resolve } from 'node:path'
import type { App, GlobalOptions } from '../contracts.ts'
import type { UserProject } from '../pipelines/user-project.ts'
import { compiledKey, readCompiled } from './compiled-project.ts'
import { builtInTargets } from './targets.ts'

type Asker = Pick<GlobalOptions, 'config' | 'env'>

/** Every single task: the user's by name and id, those of the environment by id. @throws InputError when there is nothing to go by. */
export async function taskIds(asker: Asker, app: App): Promise<readonly string[]> {
  const user = await userProjectOf(asker, app)
  const names = [...user.tasks.map(({ id }) => id.slice('exec:'.length)), ...user.mixed]
  return [...new Set([...names, ...names.map((name) => `exec:${name}`), ...(await environmentIds(asker, app, user))])]
}

/** All of that, and what stands for several tasks. */
export async function targetNames(asker: Asker, app: App): Promise<readonly string[]> {
  const user = await userProjectOf(asker, app)
  const builtIn = user.environments.length === 0 ? [] : builtInTargets
  return [...new Set([...builtIn, ...Object.keys(user.pipelines), ...(await taskIds(asker, app))])]
}

async function userProjectOf({ config }: Asker, app: App): Promise<UserProject> {
  const path = resolve(app.cwd, config)
  const kept = readCompiled(path, compiledKey(path, path))
  if (kept) return kept
  const { openManifest } = await import('./open-manifest.ts')
  return (await openManifest(path)).user
}

/** Without `--env`, those of the only environment. */
async function environmentIds(asker: Asker, app: App, { environments }: UserProject): Promise<readonly string[]> {
  const env = asker.env ?? (environments.length === 1 ? environments[0] : undefined)
  if (env === undefined) return []
  const { openProject } = await import('./open-project.ts')
  return (await openProject({ ...asker, env }, app, { targets: ['deploy'] })).graph.order
}
