/** Whether a task that is still to run will write files which another one reads: then nobody can judge the other one yet. */
import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { codeOf } from '../cache/foreign.ts'
import type { TaskId } from '../graph/types.ts'
import type { FileSet } from '../tasks/kind.ts'
import { filePatterns, isTakenAway, sharedPath } from './config/globs/file-patterns.ts'
import { PrefixIndex } from './config/globs/prefix-index.ts'
import { type IgnoreRules, parseDockerignore } from './files/dockerignore.ts'

/**
 * True when there is a path that `outputs` may write and that belongs to one of the sets.
 * @param outputs project-relative patterns, `!` takes away.
 */
export function readsAny(sets: readonly FileSet[], outputs: readonly string[], projectDirectory: string): boolean {
  const written = filePatterns(outputs)
  return sets.some((set) => {
    const read = filePatterns(patternsOf(set))
    const rules = set.dockerignore === undefined ? undefined : rulesOf(join(projectDirectory, set.dockerignore))
    const isLeftOut = (path: string) =>
      isTakenAway(read.exclude, path) ||
      isTakenAway(written.exclude, path) ||
      (rules !== undefined && !rules.keeps(posix.relative(set.root, path))) ||
      (set.except ?? []).some((excepted) => path === excepted || path.startsWith(`${excepted}/`))
    return read.include.some((one) =>
      one.alternatives.some((pattern) =>
        written.include.some((other) =>
          other.alternatives.some(
            (otherPattern) => sharedPath({ text: one.text, pattern }, { text: other.text, pattern: otherPattern }, isLeftOut) !== undefined,
          ),
        ),
      ),
    )
  })
}

/**
 * Which of many tasks might write what sets name: only of those is {@link readsAny} worth asking.
 * @param outputs of each task, project-relative patterns.
 */
export function writersNear(outputs: ReadonlyMap<TaskId, readonly string[]>): (sets: readonly FileSet[]) => Set<TaskId> {
  const index = new PrefixIndex<TaskId>()
  for (const [id, patterns] of outputs)
    for (const { alternatives } of filePatterns(patterns).include) for (const pattern of alternatives) index.add(pattern, id)
  return (sets) => {
    const read = sets.flatMap((set) => filePatterns(patternsOf(set)).include.flatMap(({ alternatives }) => alternatives))
    return new Set(read.flatMap((pattern) => [...index.near(pattern)]))
  }
}

function patternsOf({ root, include = ['**'], always = [] }: FileSet): readonly string[] {
  const below = (pattern: string) => (pattern.startsWith('!') ? `!${posix.join(root, pattern.slice(1))}` : posix.join(root, pattern))
  return [...include.map(below), ...always]
}

function rulesOf(path: string): IgnoreRules | undefined {
  try {
    return parseDockerignore(readFileSync(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
