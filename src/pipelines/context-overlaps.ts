/** Files that a task writes into what an image is built from, while the build does not wait for the task. Pure. */
import { posix } from 'node:path'
import type { Diagnostic, TaskGraph, TaskId } from '../../graph/types.ts'
import type { LoadedConfig } from '../config/config.ts'
import { problem } from '../config/diagnostic.ts'
import { filePatterns, isTakenAway, sharedPath } from '../config/globs/file-patterns.ts'
import { parsePattern } from '../config/globs/pattern.ts'
import { filesOf } from '../config/task-files.ts'
import type { Deployment } from '../contracts.ts'

/**
 * Contexts are those of `build.context`; additional contexts are not looked at.
 * @param keptBy what the ignore file of a service's build lets in, by paths relative to the context.
 */
export function contextOverlaps(
  { config, locate }: Pick<LoadedConfig, 'config' | 'locate'>,
  { services }: Deployment,
  graph: TaskGraph,
  keptBy: (service: string) => (pathInContext: string) => boolean,
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
    const isKept = keptBy(service.name)
    const context = build.context === '.' ? '**' : `${build.context}/**`
    const wanted = parsePattern(context)[0] ?? []
    for (const [name, task] of writers) {
      if (before.has(`exec:${name}` as TaskId)) continue
      const { include, exclude } = filePatterns(filesOf(task).outputs)
      const isLeftOut = (path: string) =>
        isTakenAway(exclude, path) || /^\.stagecraft\//.test(path) || !isKept(posix.relative(build.context, path))
      for (const { text, index, alternatives } of include) {
        const path = alternatives
          .map((pattern) => sharedPath({ text: context, pattern: wanted }, { text, pattern }, isLeftOut))
          .find((one) => one !== undefined)
        if (path === undefined) continue
        const message = `\`${id}\` has \`${path}\` in its context \`${build.context}\`, which \`${name}\` writes, and does not wait for it`
        const notes = [
          { message: `\`${name}\` writes \`${task.outputs[index]}\``, location: locate(['tasks', name, 'outputs', index]) },
          { message: `add \`services.${service.name}.needs: [${name}]\`, or leave the files out in \`.dockerignore\`` },
        ]
        found.push(problem('SC1109', message, service.origin, { notes }))
        break
      }
    }
  }
  return found
}
