import type { App, GlobalOptions } from '../contracts.ts'
import { renderDiagnostics } from '../ui/diagnostics.ts'
import { decideColor } from '../ui/terminal.ts'
import type { Project } from './open-project.ts'

/** What the user should know and need not act on now: to stderr, not with --quiet. */
export function showWarnings({ warnings }: Project, globals: GlobalOptions, app: App): void {
  if (warnings.length === 0 || globals.quiet) return
  app.stderr.write(`${renderDiagnostics(warnings, { color: decideColor(globals.color, app.env, app.stderr) }).trimEnd()}\n\n`)
}
