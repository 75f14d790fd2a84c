/** The table in which a database remembers what was applied to it: the only truth about migrations (ruling 10). */
import type { AppliedMigration } from '../../tasks/ports.ts'
import { codeOf } from './server-error.ts'
import type { Session } from './session.ts'

/** No such table, no such schema. */
const absent: ReadonlySet<string> = new Set(['42P01', '3F000'])
const laterColumns = ['checksum', 'release_id', 'tool_version'] as const

export interface LedgerEntry {
  readonly id: string
  readonly checksum: string
  readonly releaseId: string
  readonly toolVersion: string
}

export interface Ledger {
  /** Reads only; no table is no rows. A row from before checksums has an empty one. */
  rows(): Promise<readonly AppliedMigration[]>
  /** Makes the table, or the columns that an older one lacks. */
  prepare(): Promise<void>
  /** SQL that adds the row; every value is quoted. Usable once `prepare` has run. */
  insertion(entry: LedgerEntry): string
  /** The same, in the place of a row that is there. */
  replacement(entry: LedgerEntry): string
}

/** @param table `name` or `schema.name`; without a schema it is the session's first, found once and kept. */
export function createLedger(session: Session, table: string): Ledger {
  const { sql, answer } = session
  const written = table.split('.')
  let qualified: string | undefined

  const rows = async (): Promise<readonly AppliedMigration[]> => {
    try {
      // As JSON, so that a column which is not there yet reads as absent.
      const stored = await answer(sql`
        select id::text as id, coalesce(to_jsonb(ledger) ->> 'checksum', '') as checksum
        from ${sql.unsafe(written.map(quoteName).join('.'))} as ledger order by id::text collate "C"`)
      return stored.map((row) => ({ id: String(row['id']), checksum: String(row['checksum']) }))
    } catch (error) {
      if (absent.has(codeOf(error))) return []
      throw error
    }
  }

  const prepare = async (): Promise<void> => {
    if (qualified !== undefined) return
    const [current] = written.length > 1 ? [] : await answer(sql`select current_schema() as name`)
    const parts = written.length > 1 ? written : [String(current?.['name'] ?? 'public'), table]
    const name = parts.map(quoteName).join('.')
    await session.run(
      `create table if not exists ${name} (id text primary key, applied_at timestamptz not null default now(), ${laterColumns
        .map((column) => `${column} text`)
        .join(', ')})`,
    )
    const present = await answer(
      sql`select attname::text as name from pg_attribute where attrelid = ${name}::regclass and not attisdropped`,
    )
    const missing = laterColumns.filter((column) => !present.some((row) => row['name'] === column))
    if (missing.length > 0) await session.run(`alter table ${name} ${missing.map((column) => `add column ${column} text`).join(', ')}`)
    qualified = name
  }

  const insertion = ({ id, checksum, releaseId, toolVersion }: LedgerEntry): string => {
    if (qualified === undefined) throw new Error('the ledger was not prepared')
    const values = [id, checksum, releaseId, toolVersion].map(quoteText).join(', ')
    return `insert into ${qualified} (id, ${laterColumns.join(', ')}) values (${values})`
  }

  const replacement = (entry: LedgerEntry): string => {
    const columns = laterColumns.map((column) => `${column} = excluded.${column}`).join(', ')
    return `${insertion(entry)} on conflict (id) do update set applied_at = now(), ${columns}`
  }

  return { rows, prepare, insertion, replacement }
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `E''`, so that the session's `standard_conforming_strings` does not matter. */
function quoteText(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
