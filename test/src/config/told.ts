import type { Checked, Diagnostic } from '../../../graph/types.ts'
import { parseCompose } from '../../../src/config/compose-file.ts'
import { parseConfig } from '../../../src/config/load.ts'
import { type ResolveOptions, resolveDeployment } from '../../../src/config/resolve.ts'
import type { Deployment } from '../../../src/contracts.ts'

/** A diagnostic on one line: `3:5 SC1003 unknown key … → suggestion | note`. Warnings have `(warning)`. */
export function told(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code, severity, message, location, suggestion, notes = [] }) => {
    const place = location ? `${location.line}:${location.column}` : '-'
    const kind = severity === 'warning' ? ' (warning)' : ''
    return `${place} ${code}${kind} ${message}${suggestion ? ` → ${suggestion}` : ''}${notes.map((note) => ` | ${note.message}`).join('')}`
  })
}

export function diagnosticsOf<T>(checked: Checked<T>): readonly Diagnostic[] {
  return checked.ok ? (checked.warnings ?? []) : checked.diagnostics
}

export function accepted<T>(checked: Checked<T>): T {
  if (checked.ok) return checked.value
  throw new Error(told(checked.diagnostics).join('\n'))
}

/** What is said about a manifest. */
export function aboutConfig(text: string): string[] {
  return told(diagnosticsOf(parseConfig(text, '/project/stagecraft.yml', { shownAs: 'stagecraft.yml' })))
}

/** What is said about a Compose file. */
export async function aboutCompose(text: string): Promise<string[]> {
  return told(diagnosticsOf(await parseCompose(text, '/project/docker-compose.yml', { shownAs: 'docker-compose.yml' })))
}

/** Resolves `prod` of a manifest and a Compose file that have no faults of their own. */
export async function resolved(
  config: string,
  compose: string,
  options?: ResolveOptions,
  environment = 'prod',
): Promise<Checked<Deployment>> {
  const loaded = accepted(parseConfig(config, '/project/stagecraft.yml', { shownAs: 'stagecraft.yml' }))
  const file = accepted(await parseCompose(compose, '/project/docker-compose.yml', { shownAs: 'docker-compose.yml' }))
  return resolveDeployment(loaded, file, environment, options)
}

export const least = `project: {name: shop, registry: ghcr.io/acme/shop}
environments: {prod: {hosts: [deploy@203.0.113.7]}}
`
