/**
 * An environment as commands see it that only look: its deployment, without tasks, a version or the environment file, which need not be on
 * this machine.
 */
import { existsSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Diagnostic } from '../../graph/types.ts'
import { loadCompose } from '../config/compose-file.ts'
import type { Config, LoadedConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { resolveDeployment } from '../config/resolve.ts'
import type { App, Deployment, GlobalOptions } from '../contracts.ts'
import { checkedValue } from './checked-value.ts'
import { noEnvironment } from './choose-environment.ts'

export interface OpenDeployment {
  readonly deployment: Deployment
  /** Folder of the manifest, absolute. */
  readonly directory: string
  /** Absolute path of the local environment file, if the environment names one that is there. */
  readonly envFile?: string
  /** The environment file as the manifest names it, when it is not there. */
  readonly missingEnvFile?: string
  readonly warnings: readonly Diagnostic[]
}

/**
 * The environment is the one given, or the only one there is that has hosts: looking at the wrong one does no harm.
 * @throws InputError with every problem of the manifest, then of the environment and the Compose file.
 */
export async function openDeployment(globals: Pick<GlobalOptions, 'config' | 'env'>, app: Pick<App, 'cwd'>): Promise<OpenDeployment> {
  const checked = await loadConfig(resolve(app.cwd, globals.config))
  const loaded = checkedValue(checked)
  const environment = globals.env ?? onlyEnvironment(loaded.config)
  const composePath = join(loaded.directory, loaded.config.project.compose_file)
  const compose = checkedValue(
    await loadCompose(composePath, { shownAs: relative(app.cwd, composePath), projectDirectory: loaded.directory }),
  )
  const resolved = resolveDeployment(loaded, compose, environment)
  const deployment = checkedValue(resolved)
  const warnings = [...(checked.ok ? (checked.warnings ?? []) : []), ...(resolved.ok ? (resolved.warnings ?? []) : [])]
  return { deployment, directory: loaded.directory, warnings, ...environmentFile(loaded, environment) }
}

/** @throws InputError when there are several, or none. */
export function onlyEnvironment({ environments }: Config): string {
  const names = Object.keys(environments)
  const remote = names.filter((name) => environments[name]?.driver !== 'local')
  const [only, ...others] = remote.length > 0 ? remote : names
  if (only === undefined || others.length > 0) throw noEnvironment([], names)
  return only
}

function environmentFile({ config, directory }: LoadedConfig, environment: string): Pick<OpenDeployment, 'envFile' | 'missingEnvFile'> {
  const file = config.environments[environment]?.env_file
  // An absolute path is one on hosts.
  if (file === undefined || isAbsolute(file)) return {}
  const path = join(directory, file)
  return existsSync(path) ? { envFile: path } : { missingEnvFile: file }
}
