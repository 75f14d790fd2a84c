/**
 * What is wrong with the user's files, as values. `config/` never prints, never throws for the user's mistakes, and reports
 * every problem it can see rather than the first.
 */
import type { Diagnostic, Location, Note } from '../../graph/types.ts'

interface Details {
  readonly suggestion?: string | undefined
  readonly notes?: readonly Note[]
}

export type Report = (diagnostic: Diagnostic) => void

/** An error at a place. Codes never move; each has its line in `spec/diagnostics.md`. */
export function problem(code: Diagnostic['code'], message: string, location?: Location, details: Details = {}): Diagnostic {
  return make('error', code, message, location, details)
}

/** Something the user should know that does not stop the run. */
export function warning(code: Diagnostic['code'], message: string, location?: Location, details: Details = {}): Diagnostic {
  return make('warning', code, message, location, details)
}

function make(
  severity: Diagnostic['severity'],
  code: Diagnostic['code'],
  message: string,
  location: Location | undefined,
  details: Details,
): Diagnostic {
  return {
    code,
    severity,
    message,
    ...(location && { location }),
    ...(details.suggestion !== undefined && { suggestion: details.suggestion }),
    ...(details.notes && details.notes.length > 0 && { notes: details.notes }),
  }
}

/** By file, line and column, then code and wording; the same problem found twice is told once. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(diagnostics.map((diagnostic) => [sortKey(diagnostic), diagnostic]))
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, diagnostic]) => diagnostic)
}

function sortKey({ location, code, message }: Diagnostic): string {
  const number = (value: number) => String(value).padStart(8, '0')
  return [location?.file ?? '', number(location?.line ?? 0), number(location?.column ?? 0), code, message].join('\0')
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error')
}
