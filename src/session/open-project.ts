/** First step of every command that knows tasks: the manifest, and the environment if one is reached, become one checked graph. */
import { dirname, resolve } from 'node:path'
import { taskGraph } from '../../graph/task-graph.ts'
import type { Diagnostic, TaskGraph } from '../../graph/types.ts'
import type { CacheSettings } from '../config/cache-settings.ts'
import type { App, Deployment, GlobalOptions } from '../contracts.ts'
import type { FleetPart } from '../pipelines/fleet-part.ts'
import type { UserProject } from '../pipelines/user-project.ts'
import { type ReleaseVersion, releaseVersion } from '../release-version.ts'
import type { Release } from '../releases/release.ts'
import type { RollbackChoice } from '../releases/rollback-target.ts'
import { type Stamped, settledStamp } from '../state/stamp.ts'
import { checkedValue } from './checked-value.ts'
import { agreedEnvironment } from './choose-environment.ts'
import { compiledKey, readCompiled, writeCompiled } from './compiled-project.ts'
import type { FleetWords } from './fleet-words.ts'

export interface Project {
  /** Folder of the manifest, absolute. */
  readonly directory: string
  /** With an empty `environment` when only tasks of the user's are wanted. */
  readonly deployment: Deployment
  /** How the manifest looked before it was read, if a later change is sure to show: undefined right after one. */
  readonly manifest?: { readonly path: string; readonly stamp: Stamped }
  /** Names what the tasks were made from, where that is the manifest alone and its bytes are known. */
  readonly definition?: string
  /** Every task there is: the user's, and all a deploy of the environment consists of. */
  readonly graph: TaskGraph
  /** What is wanted: the words given, or what the project is for. */
  readonly targets: readonly string[]
  readonly release: ReleaseVersion
  /** Pipelines of the manifest and the targets of each, pipelines within it resolved. */
  readonly pipelines: Readonly<Record<string, readonly string[]>>
  /** Tasks at a time in pools of the user's; those of built-in names replace ours. */
  readonly pools: Readonly<Record<string, number>>
  /** Absolute path of the local environment file, if the environment has one. */
  readonly envFile?: string
  readonly cache: CacheSettings
  /** When only a part of the fleet is dealt with. */
  readonly part?: FleetPart
  /** When what is deployed is an earlier release. */
  readonly rollback?: Rollback
  readonly warnings: readonly Diagnostic[]
}

export interface OpenOptions {
  /** As `--version` says. */
  readonly version?: string | undefined
  /** Targets and ids that are wanted. None: a deploy, or every task when the manifest has no environment. */
  readonly targets?: readonly string[]
  /** A part of the fleet; default all of it. */
  readonly fleet?: FleetWords
  /** Deploy what a release ran, and build nothing. */
  readonly rollback?: RollbackOrder
  /** May keep what was learned in the project folder for the next time; default no. */
  readonly writes?: boolean
}

export interface RollbackOrder {
  readonly choice: RollbackChoice
  /** The whole history that the choice was made from. */
  readonly releases: readonly Release[]
  readonly reason?: string
}

/** A rollback that is about to happen. */
export interface Rollback {
  /** Id of what is live; undefined where nothing was ever finished. */
  readonly from: string | undefined
  readonly to: string
  readonly reason?: string
  /** What a person should know beforehand. */
  readonly notices: readonly string[]
}

/** @throws InputError with every problem of the manifest, the Compose file and the options at once. */
export async function openProject(globals: Pick<GlobalOptions, 'config' | 'env'>, app: App, options: OpenOptions = {}): Promise<Project> {
  const path = resolve(app.cwd, globals.config)
  const targets = options.targets ?? []
  const stamp = settledStamp(path)
  const manifest = stamp ? { manifest: { path, stamp } } : {}
  const key = compiledKey(path, path)
  const kept = readCompiled(path, key)
  const definition = key === undefined ? {} : { definition: key }
  if (kept && isOwnWork(targets, kept, globals.env))
    return { ...withoutEnvironment(dirname(path), kept, targets), ...manifest, ...definition }

  // Everything that reads YAML and checks it is only loaded for what is not kept.
  const { openManifest } = await import('./open-manifest.ts')
  const { loaded, user, openWhole } = await openManifest(path)
  if (!isOwnWork(targets, user, globals.env)) return openWhole(targets, globals.env, options, app)
  // The file may have been written to between the two times it was read.
  const isSure = key !== undefined && compiledKey(path, path) === key
  if (options.writes && isSure && !kept) writeCompiled(path, key, user)
  return { ...withoutEnvironment(loaded.directory, user, targets), ...manifest, ...(isSure ? definition : {}) }
}

/** Nothing but tasks of the user's is wanted. @throws InputError when pipelines and `--env` contradict each other. */
function isOwnWork(targets: readonly string[], user: UserProject, env: string | undefined): boolean {
  if (targets.length === 0) return user.environments.length === 0 && user.mixed.length === 0 && user.tasks.length > 0
  const own = new Set(user.tasks.map(({ id }) => id as string))
  const asked = new Map<string, string>()
  const isOwn = targets.every((word) => {
    const pipeline = Object.hasOwn(user.pipelines, word) ? user.pipelines[word] : undefined
    for (const environment of pipeline?.environments ?? []) asked.set(environment, word)
    return pipeline ? !pipeline.isMixed : own.has(word) || own.has(`exec:${word}`)
  })
  if (isOwn) agreedEnvironment(env, asked)
  return isOwn
}

/** Commands of this machine need neither an environment nor a Compose file. */
function withoutEnvironment(directory: string, user: UserProject, targets: readonly string[]): Project {
  const deployment: Deployment = {
    project: user.project,
    environment: '',
    composeProject: '',
    directory: '',
    edgeDirectory: '',
    hosts: [],
    services: [],
    databases: [],
    compose: { file: '', topLevel: {} },
    variables: { plain: {}, secret: [] },
    knownHosts: [],
    fleet: { onFailure: 'rollback' },
  }
  const graph = checkedValue(taskGraph(user.tasks))
  return {
    directory,
    deployment,
    graph,
    targets: targets.length > 0 ? targets : graph.order,
    release: releaseVersion(directory, undefined, {}),
    pipelines: Object.fromEntries(Object.entries(user.pipelines).map(([name, { targets: words }]) => [name, words])),
    pools: user.pools,
    cache: user.cache,
    warnings: user.warnings,
  }
}
