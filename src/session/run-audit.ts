/** What a run leaves in the environment's audit: a line when it takes the lock, and one that says how it ended. */
import { type AuditOptions, createAudit } from '../audit/audit.ts'
import type { AuditEntry } from '../audit/chain.ts'
import { type ExitCode, exitCodes } from '../contracts.ts'
import type { HostPool } from './hosts.ts'
import type { Project } from './open-project.ts'

export interface RunAudit {
  (entry: Pick<AuditEntry, 'result' | 'release'>): Promise<void>
  /** Whether the last line says how it ended. */
  isEnded(): boolean
}

/** @param what undefined for a run that changes no host: it leaves nothing. */
export function runAudit(
  { deployment, release, rollback }: Project,
  what: string | undefined,
  hosts: Pick<HostPool, 'appendOnly'>,
  options: AuditOptions,
): RunAudit {
  const { primaryHost } = deployment
  const detail = rollback && `to ${rollback.to}${rollback.reason === undefined ? '' : `: ${rollback.reason}`}`
  const about = { ...(release.version === undefined ? {} : { version: release.version }), ...(detail === undefined ? {} : { detail }) }
  let isEnded = true
  const append = async (entry: Pick<AuditEntry, 'result' | 'release'>) => {
    if (what === undefined || primaryHost === undefined) return
    isEnded = entry.result !== 'begun'
    await createAudit(() => hosts.appendOnly(primaryHost), options).append({ what, ...entry, ...about })
  }
  return Object.assign(append, { isEnded: () => isEnded })
}

/** What a run is called. */
export function auditedAs(targets: readonly string[], { rollback }: Pick<Project, 'rollback'>): string {
  if (rollback) return 'rollback'
  return targets.length === 1 && targets[0] === 'deploy' ? 'deploy' : `run ${targets.join(' ')}`
}

export function resultOf(code: ExitCode): AuditEntry['result'] {
  if (code === exitCodes.done) return 'done'
  if (code === exitCodes.partial) return 'partial'
  return code === exitCodes.interrupted ? 'interrupted' : 'failed'
}
