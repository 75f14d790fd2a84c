/** What can be run of a project without opening an environment: plain data, so that it can be kept. Pure. */
import type { Diagnostic, Task } from '../../graph/types.ts'
import { type CacheSettings, cacheSettings } from '../config/cache-settings.ts'
import type { Config, LoadedConfig } from '../config/config.ts'
import { idsOfWords, reachOf } from './named-tasks.ts'
import { userTasks } from './user-tasks.ts'

export interface UserProject {
  /** `project.name`. */
  readonly project: string
  /** Names of the manifest's environments. */
  readonly environments: readonly string[]
  /** Tasks that lead to nothing built in. */
  readonly tasks: readonly Task[]
  /** Names of tasks that do: they need an environment. */
  readonly mixed: readonly string[]
  readonly pipelines: Readonly<Record<string, UserPipeline>>
  /** Pool → tasks at a time. */
  readonly pools: Readonly<Record<string, number>>
  readonly cache: CacheSettings
  readonly warnings: readonly Diagnostic[]
}

export interface UserPipeline {
  /** Names of tasks, built-in targets and ids: pipelines within it are resolved. */
  readonly targets: readonly string[]
  /** It leads to something built in. */
  readonly isMixed: boolean
  /** Environments that it, or a pipeline within it, asks for. */
  readonly environments: readonly string[]
}

export function userProject(loaded: LoadedConfig, warnings: readonly Diagnostic[]): UserProject {
  const { config } = loaded
  const mixed = mixedTasks(loaded)
  const isMixed = (word: string) => !Object.hasOwn(config.tasks, bare(word)) || mixed.has(bare(word))
  return {
    project: config.project.name,
    environments: Object.keys(config.environments).sort(),
    tasks: userTasks(loaded, idsOfWords(config, [])).filter(({ id }) => !mixed.has(bare(id))),
    mixed: [...mixed],
    pipelines: Object.fromEntries(
      Object.keys(config.pipelines).map((name) => {
        const targets = flat(name, config)
        return [name, { targets, isMixed: targets.some(isMixed), environments: [...reachOf([name], config).environments.keys()] }]
      }),
    ),
    pools: config.pools,
    cache: cacheSettings(loaded),
    warnings,
  }
}

/** Every pipeline's own targets, those of pipelines within it in their place. */
function flat(name: string, config: Config): string[] {
  const targets = config.pipelines[name]?.targets ?? []
  return [...new Set(targets.flatMap((word) => (isPipeline(word, config) ? flat(word, config) : [bare(word)])))]
}

function isPipeline(word: string, { pipelines, tasks }: Config): boolean {
  return Object.hasOwn(pipelines, word) && !Object.hasOwn(tasks, word) && (pipelines[word]?.targets.length ?? 0) > 0
}

/** A name that itself or by what it waits for leads to a built-in target; each is looked at once. */
function mixedTasks({ config }: LoadedConfig): ReadonlySet<string> {
  const dependents = new Map<string, string[]>()
  const open: string[] = []
  for (const [name, { needs, after }] of Object.entries(config.tasks)) {
    for (const word of [...needs, ...after].flatMap((one) => (isPipeline(one, config) ? flat(one, config) : [bare(one)]))) {
      if (!Object.hasOwn(config.tasks, word)) open.push(name)
      dependents.set(word, dependents.get(word) ?? [])
      dependents.get(word)?.push(name)
    }
  }
  const mixed = new Set<string>()
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (mixed.has(name)) continue
    mixed.add(name)
    open.push(...(dependents.get(name) ?? []))
  }
  return mixed
}

function bare(word: string): string {
  return word.replace(/^exec:/, '')
}
