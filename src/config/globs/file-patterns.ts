/** Lists of globs as tasks declare them: what is read or written, less what `!` takes away. Pure. */
import { commonPaths, matches } from './meet.ts'
import { type Pattern, parsePattern } from './pattern.ts'

/** One glob of a list. */
export interface ListedPattern {
  /** Project-relative, as it is matched. */
  readonly text: string
  /** Its place in the list. */
  readonly index: number
  readonly alternatives: readonly Pattern[]
}

export interface FilePatterns {
  readonly include: readonly ListedPattern[]
  readonly exclude: readonly Pattern[]
}

/** @param patterns project-relative; order does not matter, `!` always wins. */
export function filePatterns(patterns: readonly string[]): FilePatterns {
  const include: ListedPattern[] = []
  const exclude: Pattern[] = []
  for (const [index, text] of patterns.entries()) {
    if (text.startsWith('!')) exclude.push(...parsePattern(text.slice(1)))
    else include.push({ text, index, alternatives: parsePattern(text, looksLikeFolder(text)) })
  }
  return { include, exclude }
}

/** A last name with an ending is a file's, `.next` and `dist` may be folders: `app.js` and `**\/*.ts` do not meet in `app.js/x.ts`. */
function looksLikeFolder(text: string): boolean {
  return text.endsWith('/') || !/[^./][^/]*\.[^/]*$/.test(text)
}

/** Does the list name this path? */
export function covers({ include, exclude }: FilePatterns, path: string): boolean {
  return include.some(({ alternatives }) => alternatives.some((one) => matches(one, path))) && !isTakenAway(exclude, path)
}

/** A path that both alternatives match and nothing takes away, if one is found. */
export function sharedPath(
  a: { readonly text: string; readonly pattern: Pattern },
  b: { readonly text: string; readonly pattern: Pattern },
  isLeftOut: (path: string) => boolean,
): string | undefined {
  for (const path of commonPaths(a.pattern, b.pattern, a.text.endsWith('**') && b.text.endsWith('**'))) if (!isLeftOut(path)) return path
  return undefined
}

export function isTakenAway(exclude: readonly Pattern[], path: string): boolean {
  return exclude.some((pattern) => matches(pattern, path))
}
