import { taskGraph } from '../../graph/task-graph.ts'
import type { Location, Task, TaskGraph, TaskId } from '../../graph/types.ts'

interface Edges {
  readonly needs?: readonly string[]
  readonly after?: readonly string[]
  readonly line?: number
}

export function task(id: string, { needs = [], after = [], line }: Edges = {}): Task {
  const origin = line === undefined ? {} : { origin: lineOf(line) }
  return { id: id as TaskId, kind: id.split(':')[0] ?? '', params: {}, needs: needs as TaskId[], after: after as TaskId[], ...origin }
}

export function lineOf(line: number): Location {
  return { file: 'stagecraft.yml', line, column: 1, length: 1, text: '' }
}

/** A graph that must be well formed. */
export function graphOf(...tasks: readonly Task[]): TaskGraph {
  const checked = taskGraph(tasks)
  if (!checked.ok) throw new Error(checked.diagnostics.map(({ message }) => message).join('\n'))
  return checked.value
}

/**
 *     build:api ─ push:api ┐
 *     build:web ─ push:web ┴ render:node-1 ─ upload:node-1 ┬ rollout:api@node-1 ┐
 *                                   migrate_pre:main ┄┄┄┄┄┄┴ rollout:web@node-1 ┴ finalize:prod
 */
export function release(): TaskGraph {
  return graphOf(
    task('finalize:prod', { needs: ['rollout:api@node-1', 'rollout:web@node-1'], after: ['migrate_pre:main'] }),
    task('rollout:web@node-1', { needs: ['upload:node-1'], after: ['migrate_pre:main'] }),
    task('rollout:api@node-1', { needs: ['upload:node-1'], after: ['migrate_pre:main'] }),
    task('upload:node-1', { needs: ['render:node-1'] }),
    task('render:node-1', { needs: ['push:api', 'push:web'] }),
    task('push:web', { needs: ['build:web'] }),
    task('push:api', { needs: ['build:api'] }),
    task('migrate_pre:main', { after: ['push:api'] }),
    task('build:web'),
    task('build:api'),
  )
}
