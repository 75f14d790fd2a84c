/** First step of every command that knows an environment: the manifest, the Compose file and the environment become one checked graph. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isAbsolute, join, posix, relative, resolve } from 'node:path'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Checked, Diagnostic, TaskGraph, TaskId } from '../../graph/types.ts'
import { type CacheSettings, cacheSettings } from '../config/cache-settings.ts'
import { loadCompose } from '../config/compose-file.ts'
import type { LoadedConfig } from '../config/config.ts'
import { parseDotenv } from '../config/dotenv.ts'
import { loadConfig } from '../config/load.ts'
import { resolveDeployment } from '../config/resolve.ts'
import { type App, type Deployment, type GlobalOptions, InputError } from '../contracts.ts'
import { buildArguments } from '../pipelines/build-arguments.ts'
import { deployTasks } from '../pipelines/deploy.ts'
import { userTasks } from '../pipelines/user-tasks.ts'
import { type ReleaseVersion, releaseVersion, versionProblem } from '../release-version.ts'

export interface Project {
  /** Folder of the manifest, absolute. */
  readonly directory: string
  readonly deployment: Deployment
  /** Every task a deploy of this environment consists of. */
  readonly graph: TaskGraph
  readonly release: ReleaseVersion
  /** Pipelines of the manifest, and the targets of each. */
  readonly pipelines: Readonly<Record<string, readonly string[]>>
  /** Absolute path of the local environment file, if the environment has one. */
  readonly envFile?: string
  readonly warnings: readonly Diagnostic[]
  readonly cache: CacheSettings
}

/** @throws InputError with every problem of the manifest, the Compose file and the options at once. */
export async function openProject(globals: GlobalOptions, app: App, version?: string, targets: readonly string[] = []): Promise<Project> {
  const path = resolve(app.cwd, globals.config)
  const loaded = checkedValue(await loadConfig(path))
  if (targets.length > 0 && targets.every((name) => isUsers(name, loaded))) return withoutEnvironment(loaded)
  const environment = chooseEnvironment(globals.env, loaded)
  const composePath = join(loaded.directory, loaded.config.project.compose_file)
  const compose = checkedValue(await loadCompose(composePath, relative(app.cwd, composePath)))
  const { envFile, names } = await environmentFile(loaded, environment)
  const resolved = resolveDeployment(loaded, compose, environment, { envFileNames: names })
  const deployment = checkedValue(resolved)
  const release = releaseVersion(loaded.directory, version, app.env)
  const args = buildArguments(deployment)
  const problems = [...(args.ok ? [] : args.diagnostics), ...versionDiagnostics(release)]
  if (!args.ok || problems.length > 0) throw new InputError(problems)
  const tasks = deployTasks(deployment, {
    version: release.version ?? 'unknown',
    envFileNames: names,
    buildArgs: args.value,
    ignoreFiles: ignoreFiles(deployment, loaded.directory),
  })
  return {
    directory: loaded.directory,
    deployment,
    graph: checkedValue(taskGraph(tasks)),
    release,
    pipelines: pipelinesOf(loaded),
    cache: cacheSettings(loaded),
    ...(envFile === undefined ? {} : { envFile }),
    warnings: resolved.ok ? (resolved.warnings ?? []) : [],
  }
}

/** A task, or a pipeline of nothing else. */
function isUsers(name: string, { config }: LoadedConfig): boolean {
  const pipeline = config.pipelines[name]
  if (pipeline) return pipeline.targets.every((target) => isUsers(target, { config } as LoadedConfig))
  return Object.hasOwn(config.tasks, name.replace(/^exec:/, ''))
}

/** Commands of this machine need neither an environment nor a Compose file. */
function withoutEnvironment(loaded: LoadedConfig): Project {
  const deployment: Deployment = {
    project: loaded.config.project.name,
    environment: '',
    composeProject: '',
    directory: '',
    hosts: [],
    services: [],
    databases: [],
    compose: { file: '', topLevel: {} },
    variables: { plain: {}, secret: [] },
    knownHosts: [],
  }
  const tasks = userTasks(loaded, (name) => [`exec:${name}` as TaskId])
  return {
    directory: loaded.directory,
    deployment,
    graph: checkedValue(taskGraph(tasks)),
    release: releaseVersion(loaded.directory, undefined, {}),
    pipelines: pipelinesOf(loaded),
    cache: cacheSettings(loaded),
    warnings: [],
  }
}

function pipelinesOf({ config }: LoadedConfig): Project['pipelines'] {
  return Object.fromEntries(Object.entries(config.pipelines).map(([name, { targets }]) => [name, targets]))
}

/** The environment is never guessed: a deploy to the wrong one cannot be taken back. */
function chooseEnvironment(given: string | undefined, loaded: LoadedConfig): string {
  if (given !== undefined) return given
  const names = Object.keys(loaded.config.environments).sort()
  throw new InputError([
    {
      code: 'SC3101',
      severity: 'error',
      message: `no environment given: add \`--env\` with one of ${names.map((name) => `\`${name}\``).join(', ')}`,
    },
  ])
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

function checkedValue<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value
  throw new InputError(checked.diagnostics)
}
