/** Files that a task writes into what an image is built from, while the build does not wait for the task. Pure. */
import { posix } from 'node:path'
import type { Diagnostic, TaskGraph, TaskId } from '../../graph/types.ts'
import type { LoadedConfig } from '../config/config.ts'
import { problem } from '../config/diagnostic.ts'
import { filePatterns, isTakenAway, sharedPath } from '../config/globs/file-patterns.ts'
import { parsePattern } from '../config/globs/pattern.ts'
import { filesOf } from '../config/task-files.ts'
import type { Deployment } from '../contracts.ts'

/** Lets paths in that are relative to a context. */
type Keeps = (pathInContext: string) => boolean

/**
 * @param keptBy what the ignore file of a service's build lets into its context.
 * @param keptIn the same of a folder that is an additional context.
 */
export function contextOverlaps(
  { config, locate }: Pick<LoadedConfig, 'config' | 'locate'>,
  { services }: Deployment,
  graph: TaskGraph,
  keptBy: (service: string) => Keeps,
  keptIn: (folder: string) => Keeps,
): readonly Diagnostic[] {
  const found: Diagnostic[] = []
  const present = new Set(graph.order)
  const writers = Object.entries(config.tasks).filter(([name, { outputs }]) => outputs.length > 0 && present.has(`exec:${name}` as TaskId))
  if (writers.length === 0) return found
  for (const service of services) {
    const { build } = service
    const id = `build:${service.name}` as TaskId
    if (!build || !present.has(id)) continue
    const before = new Set(graph.only([id]).order)
    const contexts = [
      { folder: build.context, called: 'context', isKept: keptBy(service.name) },
      ...localFolders(build.additionalContexts).map((folder) => ({ folder, called: 'additional context', isKept: keptIn(folder) })),
    ]
    for (const [name, task] of writers) {
      if (before.has(`exec:${name}` as TaskId)) continue
      const { include, exclude } = filePatterns(filesOf(task).outputs)
      const shared = firstOf(include, ({ text, index, alternatives }) =>
        firstOf(contexts, ({ folder, called, isKept }) => {
          const pattern = folder === '.' ? '**' : `${folder}/**`
          const whole = { text: pattern, pattern: parsePattern(pattern)[0] ?? [] }
          const isLeftOut = (path: string) =>
            isTakenAway(exclude, path) || /^\.stagecraft\//.test(path) || !isKept(posix.relative(folder, path))
          const path = firstOf(alternatives, (alternative) => sharedPath(whole, { text, pattern: alternative }, isLeftOut))
          return path === undefined ? undefined : { path, index, context: `${called} \`${folder}\`` }
        }),
      )
      if (!shared) continue
      const message = `\`${id}\` has \`${shared.path}\` in its ${shared.context}, which \`${name}\` writes, and does not wait for it`
      const notes = [
        { message: `\`${name}\` writes \`${task.outputs[shared.index]}\``, location: locate(['tasks', name, 'outputs', shared.index]) },
        { message: `add \`services.${service.name}.needs: [${name}]\`, or leave the files out in \`.dockerignore\`` },
      ]
      found.push(problem('SC1109', message, service.origin, { notes }))
    }
  }
  return found
}

function localFolders(contexts: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(contexts).filter((context) => !context.includes('://'))
}

/** The first answer that is one. */
function firstOf<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
