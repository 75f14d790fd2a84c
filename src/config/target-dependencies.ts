/** Who waits for whom, as far as the manifest alone can tell: the same in every environment. Pure. */
import { builtInTargets } from './built-in-names.ts'
import type { Config } from './config.ts'
import { targetOf } from './targets.ts'

type Parts = Pick<Config, 'tasks' | 'pipelines' | 'services'>

/**
 * Nodes are `exec:<task>`, `pipeline:<name>`, built-in targets by their names, and `build:<service>` of services that need something. Of
 * built-in targets only what holds in every environment is known: pushes wait for all builds, a deploy for what `pipelines.deploy` needs.
 */
export function dependenciesByName(config: Parts): ReadonlyMap<string, readonly string[]> {
  const nodes = new Map<string, readonly string[]>()
  const known = (words: readonly string[]) => words.flatMap((word) => nodeOf(word, config))
  for (const [name, { needs, after }] of Object.entries(config.tasks)) nodes.set(`exec:${name}`, known([...needs, ...after]))
  for (const [name, { targets }] of Object.entries(config.pipelines)) {
    if (!Object.hasOwn(builtInTargets, name)) nodes.set(`pipeline:${name}`, known(targets))
  }
  const builds: string[] = []
  for (const [service, { needs }] of Object.entries(config.services)) {
    if (needs.length === 0) continue
    builds.push(`build:${service}`)
    nodes.set(`build:${service}`, known(needs))
  }
  const needsOf = (name: string) => known(config.pipelines[name]?.needs ?? [])
  nodes.set('build', builds)
  nodes.set('push', ['build', ...needsOf('push')])
  nodes.set('render', [])
  nodes.set('migrate', needsOf('migrate'))
  nodes.set('deploy', ['push', 'migrate', ...needsOf('deploy')])
  return nodes
}

/** None for a task of an environment of which the manifest says nothing. */
function nodeOf(word: string, config: Parts): readonly string[] {
  const target = targetOf(word, config)
  switch (target?.is) {
    case 'task':
      return [`exec:${target.name}`]
    case 'pipeline':
      return [`pipeline:${target.name}`]
    case 'built-in':
      return [target.name]
    case 'built-in task': {
      const colon = target.id.indexOf(':')
      const [kind, service] = [target.id.slice(0, colon), target.id.slice(colon + 1)]
      if (kind === 'push') return ['push']
      return kind === 'build' && (config.services[service]?.needs.length ?? 0) > 0 ? [target.id] : []
    }
    case undefined:
      return []
  }
}
