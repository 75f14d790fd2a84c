import type { Diagnostic } from '../../graph/types.ts'

export function renderDiagnostics(diagnostics: readonly Diagnostic[], _options: { readonly color: boolean }): string {
  return diagnostics
    .map((d) => `${d.severity}[${d.code}]: ${d.message}${d.suggestion ? `; did you mean \`${d.suggestion}\`?` : ''}\n`)
    .join('')
}
