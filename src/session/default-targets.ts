import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { type App, type GlobalOptions, InputError } from '../contracts.ts'

/**
 * What a command means that was told no target: a deploy of the environment that was named; without one, everything the user's own tasks are.
 * @throws InputError when the manifest is wrong.
 */
export async function defaultTargets({ config, env }: GlobalOptions, app: App): Promise<readonly string[]> {
  if (env !== undefined) return ['deploy']
  const loaded = await loadConfig(resolve(app.cwd, config))
  if (!loaded.ok) throw new InputError(loaded.diagnostics)
  const own = Object.keys(loaded.value.config.tasks)
  return own.length > 0 ? own.sort() : ['deploy']
}
