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

  for (const [task, { include }] of outputs.entries())
    for (const listed of include) for (const pattern of listed.alternatives) index.add(pattern, { task, listed, pattern })
  // Each task's outputs are compared with those of the tasks before it, so that a pair is met once.
  for (const [task, patterns] of outputs.entries()) {
    for (const overlap of overlapsOf(patterns, (written) => written.task >= task || pairs.has(key(task, written.task)))) {
      pairs.add(key(task, overlap.writer))
      found.push(told('writes', task, overlap))
      if (found.length === overlapsLimit) return found
    }
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
  for (const overlap of unordered(unneeded, ({ task, writer }) => [nameOf(task), nameOf(writer)], dependencies)) {
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

/** Walks from one side are this much dearer when they may go to the end: from the other they mostly find what they want within a step or two. */
const farther = 8

/**
 * The pairs of which the first does not wait for the second, over any number of others. One walk for each name of one side, from near to far, no further than
 * needed and nothing kept of it: in a large project what comes before a task may be most of the project.
 */
function* unordered<Pair>(
  pairs: readonly Pair[],
  namesOf: (pair: Pair) => readonly [waiting: string, first: string],
  dependencies: (name: string) => readonly string[],
): Generator<Pair> {
  const waiting = new Set(pairs.map((pair) => namesOf(pair)[0]))
  const firsts = new Set(pairs.map((pair) => namesOf(pair)[1]))
  const isFromFirsts = firsts.size * farther < waiting.size
  const next = isFromFirsts ? dependentsIn([...waiting], dependencies) : dependencies
  const ends = (pair: Pair): readonly [from: string, to: string] => {
    const [one, other] = namesOf(pair)
    return isFromFirsts ? [other, one] : [one, other]
  }
  const wanted = new Map<string, Set<string>>()
  for (const [from, to] of pairs.map(ends)) wanted.set(from, (wanted.get(from) ?? new Set()).add(to))
  const missed = new Map<string, ReadonlySet<string>>()
  for (const pair of pairs) {
    const [from, to] = ends(pair)
    const known = missed.get(from) ?? notReached(from, wanted.get(from) ?? new Set(), next)
    missed.set(from, known)
    if (known.has(to)) yield pair
  }
}

/** Which of the names this one does not lead to. */
function notReached(name: string, wanted: ReadonlySet<string>, next: (name: string) => readonly string[]): ReadonlySet<string> {
  const missing = new Set(wanted)
  const met = new Set([name])
  // A set is walked in the order in which it grows.
  for (const one of met) {
    missing.delete(one)
    if (missing.size === 0) break
    for (const other of next(one)) met.add(other)
  }
  return missing
}

/** Who waits for a name directly, of the given ones and all that they wait for. */
function dependentsIn(names: readonly string[], dependencies: (name: string) => readonly string[]): (name: string) => readonly string[] {
  const dependents = new Map<string, string[]>()
  const met = new Set(names)
  for (const name of met) {
    for (const dependency of dependencies(name)) {
      met.add(dependency)
      const known = dependents.get(dependency)
      if (known) known.push(name)
      else dependents.set(dependency, [name])
    }
  }
  return (name) => dependents.get(name) ?? []
}
