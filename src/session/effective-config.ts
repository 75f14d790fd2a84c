/** What the configuration comes to: read, resolved when an environment is named, and free of secrets. Nothing outside this machine is asked. */
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Diagnostic, Json } from '../../graph/types.ts'
import { loadCompose } from '../config/compose-file.ts'
import type { LoadedConfig } from '../config/config.ts'
import { CircularValues, parseDotenv } from '../config/dotenv.ts'
import { type EffectiveValue, effectiveSettings } from '../config/effective.ts'
import { effectiveEnvironment } from '../config/effective-environment.ts'
import { loadConfig } from '../config/load.ts'
import { resolveDeployment } from '../config/resolve.ts'
import { type App, type GlobalOptions, InputError } from '../contracts.ts'
import { createRedactor } from '../secrets/redact.ts'
import { checkedValue } from './checked-value.ts'

export interface EffectiveConfig {
  readonly manifest: string
  readonly environment?: string
  readonly values: readonly EffectiveValue[]
  readonly warnings: readonly Diagnostic[]
}

/** @throws InputError with every problem of the manifest, the Compose file and the environment. */
export async function readEffectiveConfig({ config: path, env: environment }: GlobalOptions, app: App): Promise<EffectiveConfig> {
  const checked = await loadConfig(resolve(app.cwd, path), { shownAs: path })
  const loaded = checkedValue(checked)
  const warnings = (checked.ok && checked.warnings) || []
  if (environment === undefined) return { manifest: path, values: redacted(effectiveSettings(loaded), []), warnings }
  const composePath = join(loaded.directory, loaded.config.project.compose_file)
  const compose = checkedValue(
    await loadCompose(composePath, { shownAs: relative(app.cwd, composePath), projectDirectory: loaded.directory }),
  )
  const variables = await environmentFile(loaded, environment)
  const resolved = resolveDeployment(loaded, compose, environment, { envFileNames: Object.keys(variables).sort() })
  const deployment = checkedValue(resolved)
  const values = effectiveEnvironment({ loaded, compose, deployment, envFileNames: Object.keys(variables) })
  const secrets = deployment.variables.secret.flatMap((name) => variables[name] ?? app.env[name] ?? [])
  return {
    manifest: path,
    environment,
    values: redacted(values, secrets),
    warnings: [...warnings, ...((resolved.ok && resolved.warnings) || [])],
  }
}

/**
 * Of one that cannot be read nothing is known: the configuration can be looked at on a machine without it.
 * @throws InputError when it is there and its values go round in a circle.
 */
async function environmentFile(loaded: LoadedConfig, environment: string): Promise<Readonly<Record<string, string>>> {
  const file = loaded.config.environments[environment]?.env_file
  if (file === undefined || isAbsolute(file)) return {}
  try {
    return parseDotenv(await readFile(join(loaded.directory, file), 'utf8'))
  } catch (error) {
    if (!(error instanceof CircularValues)) return {}
    const location = loaded.locate(['environments', environment, 'env_file'])
    const message = `env_file \`${file}\` cannot be read: ${error.message}`
    throw new InputError([{ code: 'SC3102', severity: 'error', message, ...(location ? { location } : {}) }])
  }
}

/** A secret that somebody also wrote into the manifest is struck out there too, and so is the password in any address. */
function redacted(values: readonly EffectiveValue[], secrets: readonly string[]): readonly EffectiveValue[] {
  const redact = createRedactor(secrets)
  const cleaned = (value: Json): Json => (typeof value === 'string' ? redact(value) : Array.isArray(value) ? value.map(cleaned) : value)
  return values.map((one) => ({ ...one, value: cleaned(one.value) }))
}
