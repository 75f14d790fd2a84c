/** Databases and their migrations. */

export interface AppliedMigration {
  readonly id: string
  readonly checksum: string
}

export interface MigrationFile {
  readonly id: string
  readonly sql: string
  readonly checksum: string
  /** False for files that begin with `-- stagecraft: no-transaction`. */
  readonly transaction: boolean
  /** Of `-- stagecraft: tags a, b` at its top; sorted. */
  readonly tags: readonly string[]
}

export interface Database {
  /** Rows of the ledger table, by id; empty when there is no such table. Reads only. */
  applied(): Promise<readonly AppliedMigration[]>
  /** Holds the project's advisory lock while `work` runs; fails with the holder's description when it is taken. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  /** Runs one file and records it, in one transaction where the file allows it. @throws TaskFailure naming file and line. */
  apply(file: MigrationFile, releaseId: string): Promise<void>
  /** Writes the row of what something else applied, in the place of an older one. */
  record(entry: AppliedMigration, releaseId: string): Promise<void>
  close(): Promise<void>
}
