/** Which variables an environment has, and which of them are secret. Values of secrets are never here. */
import { posix } from 'node:path'
import type { Variables } from '../contracts.ts'
import { withoutValue } from './check-tasks.ts'
import type { LoadedConfig } from './config.ts'
import { connectionVariables } from './databases.ts'
import { problem, type Report, warning } from './diagnostic.ts'
import { own } from './json-path.ts'
import { type EnvironmentConfig, variableKeys } from './schema/environments.ts'

/** A connection string carries a password, and the manifest is committed. */
export function checkVariables(loaded: LoadedConfig, environment: string, report: Report): void {
  const variables = own(loaded.config.environments, environment)?.variables ?? {}
  for (const name of connectionVariables(loaded, environment)) {
    if (!Object.hasOwn(variables, name)) continue
    const location = withoutValue(loaded.locateKey(['environments', environment, 'variables', name]), variables[name] ?? '')
    const notes = [{ message: 'set it in `env_file` or in the process environment' }]
    report(problem('SC1054', `\`${name}\` holds a connection string, which is a secret`, location, { notes }))
  }
}

/** `envFileNames` are the names in the environment file on this machine, when there is one. */
export function resolveVariables(
  loaded: LoadedConfig,
  environment: string,
  remote: boolean,
  envFileNames: readonly string[],
  report: Report,
): Variables {
  const settings = own(loaded.config.environments, environment)
  const plain = settings ? plainVariables(settings) : {}
  const secret = [...new Set([...envFileNames, ...connectionVariables(loaded, environment)])].sort()
  for (const name of secret) {
    if (!Object.hasOwn(settings?.variables ?? {}, name)) continue
    const location = withoutValue(loaded.locateKey(['environments', environment, 'variables', name]), settings?.variables[name] ?? '')
    report(warning('SC1064', `\`${name}\` is set both here and in the environment file`, location))
  }
  const envFile = settings?.env_file
  if (envFile === undefined) return { plain, secret }
  if (remote && posix.isAbsolute(envFile)) return { plain, secret, hostEnvFile: envFile }
  return { plain, secret, envFile: posix.normalize(envFile) }
}

function plainVariables(settings: EnvironmentConfig): Record<string, string> {
  const fromKeys = variableKeys.flatMap((key) => {
    const value = settings[key]
    return value === undefined ? [] : [[key.toUpperCase(), value] as const]
  })
  return Object.fromEntries([...fromKeys, ...Object.entries(settings.variables)].sort(([a], [b]) => (a < b ? -1 : 1)))
}
