/** An environment of a project: Compose file, environment file and manifest become a deployment and the tasks it consists of. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, posix, relative } from 'node:path'
import type { Diagnostic, Task } from '../../graph/types.ts'
import { loadCompose } from '../config/compose-file.ts'
import type { LoadedConfig } from '../config/config.ts'
import { parseDotenv } from '../config/dotenv.ts'
import { resolveDeployment } from '../config/resolve.ts'
import { type App, type DatabaseTarget, type Deployment, InputError } from '../contracts.ts'
import { buildArguments } from '../pipelines/build-arguments.ts'
import { deployTasks } from '../pipelines/deploy.ts'
import type { FleetPart } from '../pipelines/fleet-part.ts'
import { withoutHost } from '../pipelines/migrate-tasks.ts'
import { type ReleaseVersion, releaseVersion, versionProblem } from '../release-version.ts'
import { checkedValue } from './checked-value.ts'
import { fleetPart } from './fleet-words.ts'
import { outerHook } from './inside-hook.ts'
import type { OpenOptions, Rollback } from './open-project.ts'
import { openRollback } from './open-rollback.ts'

export interface OpenEnvironment {
  readonly deployment: Deployment
  /** Everything a deploy consists of. */
  readonly tasks: readonly Task[]
  /** The ignore file of each build's context, project-relative, by service; none where there is none. */
  readonly ignoreFiles: Readonly<Record<string, string>>
  readonly release: ReleaseVersion
  readonly part?: FleetPart
  readonly rollback?: Rollback
  /** Absolute path of the local environment file, if the environment has one. */
  readonly envFile?: string
  readonly warnings: readonly Diagnostic[]
}

/** @throws InputError with every problem of the Compose file, the environment and the version at once. */
export async function openEnvironment(
  loaded: LoadedConfig,
  environment: string,
  options: Pick<OpenOptions, 'version' | 'fleet' | 'rollback'>,
  app: App,
): Promise<OpenEnvironment> {
  const composePath = join(loaded.directory, loaded.config.project.compose_file)
  const compose = checkedValue(
    await loadCompose(composePath, { shownAs: relative(app.cwd, composePath), projectDirectory: loaded.directory }),
  )
  const { envFile, names } = await environmentFile(loaded, environment)
  const resolved = resolveDeployment(loaded, compose, environment, { envFileNames: names })
  const deployment = withoutOwnHooks(checkedValue(resolved), app)
  const part = checkedValue(fleetPart(options.fleet ?? {}, deployment))
  const back = options.rollback && checkedValue(openRollback(options.rollback, deployment))
  const release = back?.release ?? releaseVersion(loaded.directory, options.version, app.env)
  const stranded = part === undefined || back ? [] : withoutHost(deployment, part)
  // A rollback builds nothing, and takes a version as it finds it.
  const args = back ? ({ ok: true, value: {} } as const) : buildArguments(deployment)
  const problems = [...(args.ok ? [] : args.diagnostics), ...(back ? [] : versionDiagnostics(release)), ...stranded.map(noHostFor)]
  if (!args.ok || problems.length > 0) throw new InputError(problems)
  const ignored = ignoreFiles(deployment, loaded.directory)
  const tasks = deployTasks(deployment, {
    version: release.version ?? 'unknown',
    envFileNames: names,
    buildArgs: args.value,
    ignoreFiles: ignored,
    ...(part === undefined ? {} : { part }),
    ...(back === undefined ? {} : { pins: back.pins }),
  })
  const warnings = resolved.ok ? (resolved.warnings ?? []) : []
  return {
    deployment,
    tasks,
    ignoreFiles: ignored,
    release,
    warnings,
    ...(part === undefined ? {} : { part }),
    ...(back === undefined ? {} : { rollback: back.rollback }),
    ...(envFile === undefined ? {} : { envFile }),
  }
}

/** Inside a hook none is run: it would come to itself again. */
function withoutOwnHooks(deployment: Deployment, app: App): Deployment {
  if (outerHook(deployment, app) === undefined) return deployment
  const { hooks: _hooks, ...rest } = deployment
  return rest
}

async function environmentFile(loaded: LoadedConfig, environment: string): Promise<{ envFile?: string; names: readonly string[] }> {
  const file = loaded.config.environments[environment]?.env_file
  if (file === undefined || isAbsolute(file)) return { names: [] }
  const envFile = join(loaded.directory, file)
  try {
    return { envFile, names: Object.keys(parseDotenv(await readFile(envFile, 'utf8'))).sort() }
  } catch (error) {
    const location = loaded.locate(['environments', environment, 'env_file'])
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `cannot be read: ${(error as Error).message}`
    throw new InputError([{ code: 'SC3102', severity: 'error', message: `env_file \`${file}\` ${why}`, ...(location ? { location } : {}) }])
  }
}

/** BuildKit prefers an ignore file named for the Dockerfile to the context's own. */
function ignoreFiles({ services }: Deployment, directory: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const { name, build } of services) {
    if (!build) continue
    const candidates = [`${build.dockerfile}.dockerignore`, posix.join(build.context, '.dockerignore')]
    const file = candidates.find((candidate) => existsSync(join(directory, candidate)))
    if (file !== undefined) found[name] = file
  }
  return found
}

function versionDiagnostics({ version }: ReleaseVersion): Diagnostic[] {
  const message = version === undefined ? undefined : versionProblem(version)
  return message === undefined ? [] : [{ code: 'SC3103', severity: 'error', message }]
}

function noHostFor({ name, command }: DatabaseTarget): Diagnostic {
  const message = `migrations of \`${name}\` run in a container of \`${command?.on}\`, and none of its hosts takes part: name one of them too`
  return { code: 'SC3063', severity: 'error', message }
}
