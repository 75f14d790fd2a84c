import { faultPoint } from '../../tasks/fault-point.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Database, MigrationFile } from '../../tasks/ports.ts'
import { lockKey, withAdvisoryLock } from './advisory-lock.ts'
import { createLedger } from './ledger.ts'
import { explain, positionOf } from './server-error.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'
import { lineAt, type Statement, splitStatements } from './sql-statements.ts'

export interface PostgresOptions extends Omit<SessionOptions, 'applicationName'> {
  readonly project: string
  readonly environment: string
  /** `name` or `schema.name`. */
  readonly ledgerTable: string
  /** Recorded with each migration. */
  readonly toolVersion: string
  /** How long to wait for another run's migrations; default 30 s. */
  readonly lockWaitMs?: number
}

/**
 * One connection to a PostgreSQL database, as migrations need it. No error of it ever holds the connection string or password.
 * @throws TaskFailure as `openSession`.
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const applicationName = `stagecraft ${options.project}/${options.environment}`
  const session = await openSession({ ...options, applicationName })
  const ledger = createLedger(session, options.ledgerTable)
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw session.failure(error)
    }
  }
  return {
    applied: () => told(ledger.rows),
    exclusively: (work) =>
      told(() => withAdvisoryLock(session, lockKey(options.project, options.name), options.lockWaitMs ?? 30_000, work)),
    apply: (file, releaseId) =>
      told(async () => {
        await ledger.prepare()
        const { id, checksum } = file
        const record = `${resetSession}; ${ledger.insertion({ id, checksum, releaseId, toolVersion: options.toolVersion })}`
        await (file.transaction ? applyWhole(session, file, record) : applyOneByOne(session, file, record))
      }),
    record: ({ id, checksum }, releaseId) =>
      told(async () => {
        await ledger.prepare()
        await session.run(ledger.replacement({ id, checksum, releaseId, toolVersion: options.toolVersion }))
      }),
    close: session.close,
  }
}

/** A file may set the role or the search path for its own use; neither the ledger nor the next file may see that. */
const resetSession = 'reset session authorization; reset role; reset all'

/** All statements and the ledger's row, or nothing. */
async function applyWhole(session: Session, file: MigrationFile, record: string): Promise<void> {
  const statements = splitStatements(file.sql)
  for (const statement of statements) refuseUnfit(file, statement)
  await session.run('begin')
  try {
    for (const statement of statements) await execute(session, file, statement)
    await session.run(record)
    faultPoint('migrate-applying')
    await session.run('commit')
  } catch (error) {
    if (!session.isLost()) await session.run('rollback').catch(() => undefined)
    throw error
  }
}

/** Each statement takes effect by itself; the row is written right after the last one. */
async function applyOneByOne(session: Session, file: MigrationFile, record: string): Promise<void> {
  const statements = splitStatements(file.sql)
  for (const statement of statements) refuseCopy(file, statement)
  for (const [index, statement] of statements.entries()) {
    const remark =
      index === 0 ? '' : `\nthe ${index} statement${index === 1 ? '' : 's'} before it took effect: the file runs outside a transaction`
    await execute(session, file, statement, remark)
  }
  await session.run(record)
}

async function execute(session: Session, file: MigrationFile, statement: Statement, remark = ''): Promise<void> {
  try {
    await session.run(statement.text)
  } catch (error) {
    if (session.isLost() || error instanceof TaskFailure) throw error
    const position = positionOf(error)
    const within = position === undefined ? 0 : [...statement.text].slice(0, position - 1).join('').length
    throw refused(file, statement.offset + within, session.redact(explain(error)) + remark)
  }
}

/** A `commit` of its own would end our transaction, and leave half a file applied that nobody knows of. */
function refuseUnfit(file: MigrationFile, statement: Statement): void {
  refuseCopy(file, statement)
  const [first = '', second = ''] = statement.words
  const isControl = ['begin', 'commit', 'end', 'rollback', 'abort'].includes(first) || (first === 'start' && second === 'transaction')
  const isSavepoint = first === 'rollback' && statement.words.includes('to')
  if (!isControl || isSavepoint) return
  const remedy = `remove it: the file already runs in one transaction; or begin the file with \`-- stagecraft: no-transaction\``
  throw refused(file, statement.offset, `\`${first}\` controls the transaction that the file runs in`, remedy)
}

/** The driver would wait for data for ever. */
function refuseCopy(file: MigrationFile, { words, offset }: Statement): void {
  if (words[0] !== 'copy' || !(words.includes('stdin') || words.includes('stdout'))) return
  throw refused(
    file,
    offset,
    '`copy` from or to this program is not possible in a migration',
    'use `insert`, or dump with `pg_dump --inserts`',
  )
}

function refused(file: MigrationFile, offset: number, message: string, remedy?: string): TaskFailure {
  const subject = `${file.id}:${lineAt(file.sql, offset)}`
  return new TaskFailure({ reason: 'refused', subject, message, ...(remedy === undefined ? {} : { remedy }) })
}
