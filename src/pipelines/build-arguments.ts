/** Build arguments with plain variables filled in: they end up in the image's history, so a secret there is refused. */
import type { Checked, Diagnostic } from '../../graph/types.ts'
import { interpolate } from '../../tasks/rendering/interpolate.ts'
import { parseTemplate } from '../../tasks/rendering/template.ts'
import type { Deployment } from '../contracts.ts'

/** Service → argument → value. */
export type BuildArguments = Readonly<Record<string, Readonly<Record<string, string>>>>

export function buildArguments(deployment: Deployment): Checked<BuildArguments> {
  const scope = { plain: deployment.variables.plain, secrets: new Set(deployment.variables.secret) }
  const diagnostics: Diagnostic[] = []
  const filled: Record<string, Record<string, string>> = {}
  for (const { name, build, origin } of deployment.services) {
    if (!build) continue
    const own: Record<string, string> = {}
    for (const [argument, template] of Object.entries(build.args)) {
      const where = `build argument \`${argument}\` of service \`${name}\``
      const report = (message: string) =>
        diagnostics.push({ code: 'SC3105', severity: 'error', message, ...(origin ? { location: origin } : {}) })
      const { text, problems } = interpolate(template, scope)
      for (const problem of problems) report(`${where}: \`${problem.name}\` ${problem.message}`)
      const secret = parseTemplate(text).find((part) => part.kind === 'variable')
      if (secret && problems.length === 0) {
        report(`${where} holds the secret \`${secret.name}\`, which would stay readable in the image: use \`build.secrets\``)
      }
      own[argument] = text.replaceAll('$$', '$')
    }
    filled[name] = own
  }
  return diagnostics.length > 0 ? { ok: false, diagnostics } : { ok: true, value: filled }
}
