import type { AppliedMigration, Database, MigrationFile } from '../../tasks/ports.ts'

/** A database that records what it was asked. */
export class FakeDatabase implements Database {
  readonly asked: string[] = []
  rows: AppliedMigration[] = []
  /** Called in the place of applying; may throw. */
  onApply: (file: MigrationFile) => void = () => undefined
  forgets = false
  async applied() {
    this.asked.push('applied')
    return [...this.rows]
  }
  async exclusively<T>(work: () => Promise<T>) {
    this.asked.push('lock')
    try {
      return await work()
    } finally {
      this.asked.push('unlock')
    }
  }
  async apply(file: MigrationFile, releaseId: string) {
    this.asked.push(`apply ${file.id} ${releaseId}`)
    this.onApply(file)
    if (!this.forgets) this.rows.push({ id: file.id, checksum: file.checksum })
  }
  async record(entry: AppliedMigration) {
    this.asked.push(`record ${entry.id}`)
    this.rows = [...this.rows.filter(({ id }) => id !== entry.id), entry]
  }
  async close() {
    this.asked.push('close')
  }
}
