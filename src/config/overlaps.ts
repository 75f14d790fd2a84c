/**
 * Files that two tasks write, or that one writes and another reads without waiting for it. What comes out of such a pair depends on which of
 * them was faster, so it is refused. Pure.
 *
 * Every overlap is shown by a path: one that patterns of both match and that no `!` of theirs takes away. So nothing is refused for what
 * only might be. The price is what is not found:
 * - files that a command reads or writes without declaring them, and those of a task without `inputs`;
 * - files in a folder that is named without a slash at its end and looks like a file, `app.bundle`;
 * - patterns with groups in parentheses, or with more than 100 alternatives in braces;
 * - an overlap that only paths of an odd form are in, where `!` takes away all of the few that are tried;
 * - two spellings of one file: symbolic links, and names that differ in case on a disk to which that makes no difference.
 */
import { type FilePatterns, filePatterns, isTakenAway, type ListedPattern, sharedPath } from './globs/file-patterns.ts'
import type { Pattern } from './globs/pattern.ts'
import { PrefixIndex } from './globs/prefix-index.ts'

/** What a task declares. Patterns are project-relative. */
export interface DeclaredFiles {
  readonly name: string
  /** Undefined: not declared. */
  readonly inputs: readonly string[] | undefined
  readonly outputs: readonly string[]
}

export interface Overlap {
  /** `writes`: both write the path. `reads`: `task` reads what `writer` writes. */
  readonly how: 'writes' | 'reads'
  readonly task: string
  /** Index of the pattern among the task's `inputs` or `outputs`. */
  readonly pattern: number
  readonly writer: string
  /** Index among the writer's `outputs`. */
  readonly writerPattern: number
  /** A path that both patterns match. */
  readonly path: string
}

interface Written {
  readonly task: number
  readonly listed: ListedPattern
  readonly pattern: Pattern
}

/** Enough to see what is wrong; more would hide it. */
const overlapsLimit = 50

/**
 * @param dependencies what each task waits for, directly; names that are not among the tasks may stand for anything that waits in turn.
 * @returns one overlap for each pair of tasks, the first 50 of them.
 */
export function findOverlaps(tasks: readonly DeclaredFiles[], dependencies: (name: string) => readonly string[]): readonly Overlap[] {
  const outputs = tasks.map((task) => filePatterns(task.outputs))
  const index = new PrefixIndex<Written>()
  const found: Overlap[] = []
  const pairs = new Set<number>()
  const key = (a: number, b: number) => Math.min(a, b) * tasks.length + Math.max(a, b)

  // Each task's outputs are compared with those of the tasks before it, so that a pair is met once.
  for (const [task, patterns] of outputs.entries()) {
    for (const overlap of overlapsOf(patterns, (written) => pairs.has(key(task, written.task)))) {
      pairs.add(key(task, overlap.writer))
      found.push(told('writes', task, overlap))
      if (found.length === overlapsLimit) return found
    }
    for (const listed of patterns.include) for (const pattern of listed.alternatives) index.add(pattern, { task, listed, pattern })
  }

  const unneeded: (Meeting & { readonly task: number })[] = []
  for (const [task, { name, inputs }] of tasks.entries()) {
    if (inputs === undefined || inputs.length === 0) continue
    const direct = new Set(dependencies(name))
    const seen = new Set<number>()
    const isKnown = (written: Written) => written.task === task || seen.has(written.task) || direct.has(nameOf(written.task))
    for (const overlap of overlapsOf(filePatterns(inputs), isKnown)) {
      seen.add(overlap.writer)
      if (!pairs.has(key(task, overlap.writer))) unneeded.push({ ...overlap, task })
    }
  }
  const isOrdered = orderedPairs(
    unneeded.map(({ task, writer }) => [nameOf(task), nameOf(writer)] as const),
    dependencies,
  )
  for (const overlap of unneeded) {
    if (isOrdered(nameOf(overlap.task), nameOf(overlap.writer))) continue
    found.push(told('reads', overlap.task, overlap))
    if (found.length === overlapsLimit) break
  }
  return found

  function* overlapsOf({ include, exclude }: FilePatterns, isKnown: (written: Written) => boolean): Generator<Meeting> {
    for (const listed of include) {
      for (const pattern of listed.alternatives) {
        for (const written of index.near(pattern)) {
          if (isKnown(written)) continue
          const less = outputs[written.task]?.exclude ?? []
          const isLeftOut = (path: string) => isTakenAway(exclude, path) || isTakenAway(less, path)
          const path = sharedPath({ text: listed.text, pattern }, { text: written.listed.text, pattern: written.pattern }, isLeftOut)
          if (path !== undefined) yield { pattern: listed.index, writer: written.task, writerPattern: written.listed.index, path }
        }
      }
    }
  }

  function nameOf(task: number): string {
    return tasks[task]?.name ?? ''
  }

  function told(how: Overlap['how'], task: number, { pattern, writer, writerPattern, path }: Meeting): Overlap {
    return { how, task: nameOf(task), pattern, writer: nameOf(writer), writerPattern, path }
  }
}

interface Meeting {
  readonly pattern: number
  readonly writer: number
  readonly writerPattern: number
  readonly path: string
}

/** Which of the pairs wait, the first for the second, over any number of others. One walk for each name on the shorter side. */
function orderedPairs(
  pairs: readonly (readonly [waiting: string, first: string])[],
  dependencies: (name: string) => readonly string[],
): (waiting: string, first: string) => boolean {
  const waiting = new Set(pairs.map(([name]) => name))
  const firsts = new Set(pairs.map(([, name]) => name))
  if (waiting.size <= firsts.size) {
    const before = new Map([...waiting].map((name) => [name, reached([name], dependencies)]))
    return (name, first) => before.get(name)?.has(first) === true
  }
  const dependents = new Map<string, string[]>()
  for (const name of reached([...waiting], dependencies)) {
    for (const dependency of dependencies(name)) {
      const known = dependents.get(dependency)
      if (known) known.push(name)
      else dependents.set(dependency, [name])
    }
  }
  const after = new Map([...firsts].map((name) => [name, reached([name], (one) => dependents.get(one) ?? [])]))
  return (name, first) => after.get(first)?.has(name) === true
}

/** The names and all they lead to. */
function reached(names: readonly string[], next: (name: string) => readonly string[]): ReadonlySet<string> {
  const met = new Set<string>()
  const open = [...names]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (met.has(name)) continue
    met.add(name)
    open.push(...next(name))
  }
  return met
}
