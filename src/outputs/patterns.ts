/** What output patterns say, read once. Most name one file or everything below one folder; only the others need a library of globs. */
import { posix } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'

export interface Positive {
  /** As in the manifest, project-relative. */
  readonly text: string
  /** Its fixed part, project-relative; empty for the project itself. */
  readonly base: string
  /**
   * `path`: the file or link of that name, or everything below the folder of that name. `below`: everything below the folder.
   * `glob`: what the library matches.
   */
  readonly form: 'path' | 'below' | 'glob'
}

export interface Patterns {
  readonly positives: readonly Positive[]
  /** What is taken away, without `!`: paths that stand for themselves and all below. */
  readonly withoutPaths: readonly string[]
  /** True when a pattern needs the library. */
  readonly isGlob: boolean
  /** All of them as the library takes them. */
  readonly globs: readonly string[]
}

/** Stagecraft's own folder and git's are nobody's outputs, whatever a pattern says: they would be removed as left over. */
export const neverOutputs: readonly string[] = ['.git', '.stagecraft']

/** @throws TaskFailure for a pattern that leaves the project. */
export function parsePatterns(patterns: readonly string[]): Patterns {
  const negatives = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => normal(pattern.slice(1)))
  const positives = patterns.filter((pattern) => !pattern.startsWith('!')).map((text) => positiveOf(text, normal(text)))
  const simple = negatives.map(fixedFolder)
  const isGlob = positives.some(({ form }) => form === 'glob') || simple.includes(undefined)
  return {
    positives,
    withoutPaths: [...neverOutputs, ...simple.filter((path) => path !== undefined)],
    isGlob,
    globs: [...positives.map(({ text }) => normal(text)), ...negatives.map((pattern) => `!${pattern}`)],
  }
}

/** True for a path itself and for everything below it. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || (path.startsWith(folder) && path[folder.length] === '/')
}

/** Whether a path is one of these outputs; only for patterns that need no library. */
export function matchesSimply({ positives, withoutPaths }: Patterns, path: string): boolean {
  const isIn = positives.some(({ form, base }) => (form === 'path' ? isWithin(path, base) : path !== base && isWithin(path, base)))
  return isIn && !withoutPaths.some((without) => isWithin(path, without))
}

/** The part of a pattern before its first wildcard: project-relative folder, or the whole of a literal path. */
export function fixedPart(pattern: string): string {
  const parts = pattern.split('/')
  const end = parts.findIndex(isDynamic)
  return (end === -1 ? parts : parts.slice(0, end)).join('/')
}

function positiveOf(text: string, pattern: string): Positive {
  const folder = fixedFolder(pattern)
  if (folder === undefined) return { text, base: fixedPart(pattern), form: 'glob' }
  return { text, base: folder, form: folder === pattern ? 'path' : 'below' }
}

/** The folder of a pattern that means a path or everything below it; undefined for one that needs the library. */
function fixedFolder(pattern: string): string | undefined {
  if (pattern === '**' || pattern === '**/*') return ''
  const folder = pattern.replace(/\/\*\*(?:\/\*)?$/, '')
  return folder.split('/').some(isDynamic) ? undefined : folder
}

function isDynamic(part: string): boolean {
  return /[*?[\]{}\\]|[!+@]\(|\([^)]*\|/.test(part)
}

function normal(pattern: string): string {
  const path = posix.normalize(pattern).replace(/\/$/, '')
  if (!path.startsWith('/') && path !== '..' && !path.startsWith('../')) return path === '.' ? '**' : path
  throw new TaskFailure({
    reason: 'refused',
    subject: pattern,
    message: `the output pattern \`${pattern}\` leaves the project`,
    remedy: 'name outputs below the folder of stagecraft.yml',
  })
}
