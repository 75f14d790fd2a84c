/** What a word names that stands for tasks: in `needs`, `after` and `targets` of the manifest, and on the command line. */
import { builtInKinds, builtInTargets } from './built-in-names.ts'
import type { Config } from './config.ts'

export type Target =
  | { readonly is: 'task'; readonly name: string }
  | { readonly is: 'pipeline'; readonly name: string }
  /** `build`, `deploy`. */
  | { readonly is: 'built-in'; readonly name: string }
  /** `build:api`; whether there is one, the environment decides. */
  | { readonly is: 'built-in task'; readonly id: string }

type Names = { readonly [part in 'tasks' | 'pipelines']: Readonly<Record<string, unknown>> }

/** Undefined for a word that nobody knows. */
export function targetOf(word: string, { tasks, pipelines }: Names): Target | undefined {
  const name = word.startsWith('exec:') ? word.slice('exec:'.length) : word
  if (Object.hasOwn(tasks, name)) return { is: 'task', name }
  if (Object.hasOwn(builtInTargets, word)) return { is: 'built-in', name: word }
  if (Object.hasOwn(pipelines, word)) return { is: 'pipeline', name: word }
  const kind = word.slice(0, Math.max(0, word.indexOf(':')))
  return builtInKinds.includes(kind) ? { is: 'built-in task', id: word } : undefined
}

/** Words that could have been meant, ids of builds as far as the manifest knows them. */
export function targetWords({ tasks, pipelines, services }: Pick<Config, 'tasks' | 'pipelines' | 'services'>): readonly string[] {
  const builds = Object.keys(services).map((service) => `build:${service}`)
  return [...new Set([...Object.keys(tasks), ...Object.keys(pipelines), ...Object.keys(builtInTargets), ...builds])]
}
