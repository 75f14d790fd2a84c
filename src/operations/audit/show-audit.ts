/** `stagecraft releases audit`: who did what, and whether the record is whole. */
import { actsFolder } from '../../audit/acts.ts'
import { auditFile, readAudit } from '../../audit/audit.ts'
import type { AuditLine, AuditReport } from '../../audit/chain.ts'
import { type App, type ExitCode, exitCodes } from '../../contracts.ts'
import { shortVersion } from '../../ui/short-version.ts'
import { renderTable } from '../../ui/table.ts'
import type { Fleet } from '../fleet.ts'

export interface AuditViewOptions {
  readonly verify: boolean
  readonly limit?: number | undefined
  readonly format: 'text' | 'json'
}

/** @returns 2 when it was to be verified and does not fit, else 0. @throws TaskFailure when the host does not answer. */
export async function showAudit(fleet: Fleet, { verify, limit, format }: AuditViewOptions, app: App): Promise<ExitCode> {
  const { primaryHost, environment } = fleet.deployment
  const report: AuditReport = primaryHost === undefined ? { lines: [] } : await readBoth(fleet, primaryHost)
  const { lines, broken } = report
  const shown = verify && format === 'text' ? [] : lines.slice(limit === undefined ? 0 : -limit)
  app.stdout.write(
    format === 'json'
      ? `${JSON.stringify({ entries: shown, intact: broken === undefined, ...(broken ? { broken } : {}) }, null, 2)}\n`
      : verify
        ? verdict(report, environment)
        : table(shown, environment),
  )
  if (broken && !(verify && format === 'text')) app.stderr.write(`warning: ${fault(broken)}\n`)
  return verify && broken ? exitCodes.world : exitCodes.done
}

/** Under the lock and without it, in one order. */
async function readBoth(fleet: Fleet, primaryHost: string): Promise<AuditReport> {
  const [locked, acts] = await Promise.all([readAudit(fleet.appendOnly(primaryHost)), readAudit(fleet.acts(primaryHost).appendOnly)])
  const lines = [...locked.lines, ...acts.lines].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  const broken = locked.broken ?? (acts.broken && { ...acts.broken, why: `${acts.broken.why} (${actsFolder}/${auditFile})` })
  return { lines, ...(broken ? { broken } : {}) }
}

function verdict({ lines, broken }: AuditReport, environment: string): string {
  if (broken) return `${fault(broken)}\n`
  return `the audit of ${environment} is whole: ${lines.length} ${lines.length === 1 ? 'line' : 'lines'}, each follows the one before\n`
}

function fault({ line, why }: NonNullable<AuditReport['broken']>): string {
  return `the audit does not fit at line ${line}: ${why}`
}

function table(lines: readonly AuditLine[], environment: string): string {
  if (lines.length === 0) return `nothing was done to ${environment} yet\n`
  return renderTable(
    ['WHEN', 'WHO', 'WHAT', 'RESULT', 'RELEASE', 'DETAIL'],
    lines.map(({ at, who, what, result, release, version, detail }) => [
      at.replace('T', ' ').replace('Z', ''),
      `${who.user}@${who.machine}`,
      what,
      result,
      [release, version === undefined ? undefined : shortVersion(version)].filter((part) => part !== undefined).join(' '),
      [detail, who.ci].filter((part) => part !== undefined).join('; '),
    ]),
  )
}
