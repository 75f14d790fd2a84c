/** The manifest itself, when what was kept of it is not enough. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Diagnostic } from '../../graph/types.ts'
import type { LoadedConfig } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { targetOf } from '../config/targets.ts'
import { type App, InputError } from '../contracts.ts'
import { parseDockerignore } from '../files/dockerignore.ts'
import { contextOverlaps } from '../pipelines/context-overlaps.ts'
import { reachOf } from '../pipelines/named-tasks.ts'
import { projectTasks } from '../pipelines/project-tasks.ts'
import { type UserProject, userProject } from '../pipelines/user-project.ts'
import { checkedValue } from './checked-value.ts'
import { agreedEnvironment, noEnvironment } from './choose-environment.ts'
import { openEnvironment } from './open-environment.ts'
import type { OpenOptions, Project } from './open-project.ts'
import { unknownTarget } from './targets.ts'

export interface OpenManifest {
  readonly loaded: LoadedConfig
  readonly user: UserProject
  /** Opens the environment too. @throws InputError */
  openWhole(targets: readonly string[], env: string | undefined, options: OpenOptions, app: App): Promise<Project>
}

/** @throws InputError with every problem of the manifest. */
export async function openManifest(path: string): Promise<OpenManifest> {
  const checked = await loadConfig(path)
  const loaded = checkedValue(checked)
  const warnings = checked.ok ? (checked.warnings ?? []) : []
  const user = userProject(loaded, warnings)
  return { loaded, user, openWhole: (...given) => openWhole(loaded, user, ...given) }
}

async function openWhole(
  loaded: LoadedConfig,
  user: UserProject,
  targets: readonly string[],
  env: string | undefined,
  options: OpenOptions,
  app: App,
): Promise<Project> {
  const words = targets.length > 0 ? targets : ['deploy']
  const environment = agreedEnvironment(env, reachOf(words, loaded.config).environments)
  if (environment === undefined) throw withoutOne(words, targets, loaded, user)
  const opened = await openEnvironment(loaded, environment, options, app)
  // What the user has done before a deploy is done for a new build; a rollback has none, and none of this checkout's files.
  const graph = checkedValue(taskGraph(opened.rollback ? opened.tasks : projectTasks(loaded, opened.tasks, words)))
  const overlaps = contextOverlaps(loaded, opened.deployment, graph, (service) => keptByIgnoreFile(loaded, opened.ignoreFiles[service]))
  if (overlaps.length > 0) throw new InputError(overlaps)
  return {
    directory: loaded.directory,
    deployment: opened.deployment,
    graph,
    targets: words,
    release: opened.release,
    pipelines: Object.fromEntries(Object.entries(user.pipelines).map(([name, { targets: own }]) => [name, own])),
    pools: user.pools,
    cache: user.cache,
    warnings: [...user.warnings, ...opened.warnings],
    ...(opened.part === undefined ? {} : { part: opened.part }),
    ...(opened.rollback === undefined ? {} : { rollback: opened.rollback }),
    ...(opened.envFile === undefined ? {} : { envFile: opened.envFile }),
  }
}

/** A word nobody knows is told of before an environment is asked for that might not be needed at all. */
function withoutOne(words: readonly string[], given: readonly string[], { config }: LoadedConfig, user: UserProject): InputError {
  const unknown = words.filter((word) => targetOf(word, config) === undefined)
  const known = [...Object.keys(config.tasks), ...Object.keys(user.pipelines)]
  if (unknown.length > 0) return new InputError(unknown.map((word): Diagnostic => unknownTarget(word, known)))
  const needing = given.filter((word) => reachOf([word], config).isBuiltIn)
  return noEnvironment(needing, user.environments)
}

/** Paths below the project that an ignore file lets into the context. */
function keptByIgnoreFile({ directory }: LoadedConfig, file: string | undefined): (pathInContext: string) => boolean {
  if (file === undefined) return () => true
  const rules = parseDockerignore(readFileSync(join(directory, file), 'utf8'))
  return (path) => rules.keeps(path)
}
