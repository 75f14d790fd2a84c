/** What `gov check` finds: one place, what stands there, and what was expected instead. */

export type ViolationCode =
  | 'COMMAND_WITHOUT_SPEC'
  | 'CYCLE'
  | 'DUPLICATE_FEATURE'
  | 'DUPLICATE_RECORD'
  | 'EXIT_CODE_MISSING'
  | 'EXIT_CODE_UNKNOWN'
  | 'FLAG_UNDOCUMENTED'
  | 'FLAG_UNKNOWN'
  | 'INVALID_FEATURE'
  | 'INVALID_FRONTMATTER'
  | 'INVALID_RECORD'
  | 'INVALID_REGISTER'
  | 'MISSING_SECTION'
  | 'MISSING_SPEC'
  | 'MISSING_TESTS'
  | 'ORPHAN_SPEC'
  | 'SHARED_SPEC'
  | 'STATUS_INCONSISTENT'
  | 'UNKNOWN_DEPENDENCY'
  | 'UNLISTED_RECORD'

export interface Violation {
  readonly code: ViolationCode
  /** A warning does not fail the check: nothing is claimed yet. */
  readonly severity: 'error' | 'warning'
  /** The id of the feature it is about. */
  readonly feature?: string
  /** Relative to the repository, `/`-separated. */
  readonly path: string
  /** From 1. */
  readonly line: number
  /** What was found, and what was expected. */
  readonly detail: string
}

/** Some errors of one file and one feature: a rule says line, code and words, this says the rest. */
export function errorsIn(path: string, feature?: string): (line: number, code: ViolationCode, detail: string) => Violation {
  return (line, code, detail) => ({ code, severity: 'error', ...(feature === undefined ? {} : { feature }), path, line, detail })
}

/** By code, feature, path, line: the same repository always gives the same list. */
export function inOrder(violations: readonly Violation[]): Violation[] {
  const key = ({ code, feature = '', path }: Violation) => [code, feature, path].join('\0')
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return [...violations].sort((a, b) => compare(key(a), key(b)) || a.line - b.line || compare(a.detail, b.detail))
}

/** `error [CLI_A] spec/features.yaml:12: CYCLE: …`; without a feature there are no brackets. */
export function violationText({ severity, feature, path, line, code, detail }: Violation): string {
  return `${severity} ${feature === undefined ? '' : `[${feature}] `}${path}:${line}: ${code}: ${detail}`
}

/** The line, from 1, of the first match; 1 when there is none. */
export function lineOf(text: string, pattern: RegExp | string): number {
  const found = typeof pattern === 'string' ? text.indexOf(pattern) : text.search(pattern)
  return found === -1 ? 1 : lineAt(text, found)
}

/** The line, from 1, that an offset is on. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
