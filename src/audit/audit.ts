/** The audit of an environment, on its primary host. Whoever changes the environment appends to it, under the environment's lock. */
import { messageOf } from '../../cache/foreign.ts'
import type { AppendOnly } from '../hosts/append-only.ts'
import { type Actor, type AuditEntry, type AuditReport, nextLine, verifyAudit } from './chain.ts'

/** In the environment's folder on the host. */
export const auditFile = 'audit.jsonl'

export interface Audit {
  /** Resolves when the line is on the host's disk. A host that refuses is told as a warning: what was done is done. */
  append(entry: AuditEntry): Promise<void>
}

export interface AuditOptions {
  readonly who: Actor
  readonly redact: (text: string) => string
  readonly warn: (message: string) => void
}

/** @param files asked for when there is something to write. */
export function createAudit(files: () => AppendOnly, { who, redact, warn }: AuditOptions): Audit {
  return {
    async append(entry) {
      const clean = { ...entry, ...(entry.detail === undefined ? {} : { detail: redact(entry.detail) }) }
      try {
        await files().append(auditFile, (now) => nextLine(clean, who, now))
      } catch (error) {
        warn(`the audit was not written: ${messageOf(error)}`)
      }
    },
  }
}

/** @throws TaskFailure when the host does not answer. */
export async function readAudit(files: AppendOnly): Promise<AuditReport> {
  const { bytes, head } = await files.read(auditFile)
  return verifyAudit(bytes, head)
}
