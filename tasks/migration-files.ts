/** Migrations as files of a project: plain SQL in one folder, applied in the order of their names. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TaskFailure } from './kind.ts'
import type { MigrationFile } from './ports.ts'

const directive = /^\uFEFF?--\s*stagecraft:\s*(.*?)\s*$/i

/** Case does not matter, so that a checkout on any file system finds the same files. */
export function isMigrationFile(name: string): boolean {
  return name.toLowerCase().endsWith('.sql')
}

/** One file: its id is its name, its checksum that of its bytes. */
export function parseMigration(name: string, bytes: Uint8Array): MigrationFile {
  const sql = Buffer.from(bytes).toString('utf8')
  const words = directivesOf(sql)
  const tags = words.flatMap((word) => (/^tags\s/i.test(word) ? word.slice('tags'.length).split(',') : [])).map((tag) => tag.trim())
  return {
    id: name,
    sql: sql.replace(/^\uFEFF/, ''),
    checksum: createHash('sha256').update(bytes).digest('hex'),
    transaction: !words.some((word) => word.toLowerCase() === 'no-transaction'),
    tags: [...new Set(tags.filter((tag) => tag !== ''))].sort(),
  }
}

/** What the lines at the very top of a file ask for; the first other line ends them. */
function directivesOf(sql: string): readonly string[] {
  const words: string[] = []
  for (const line of sql.split(/\r?\n/)) {
    const word = directive.exec(line)?.[1]
    if (word === undefined) break
    words.push(word)
  }
  return words
}

/**
 * The migrations directly in a folder, in the order of their names; none is fine.
 * @param path as the manifest says it, for failures.
 * @throws TaskFailure when there is no such folder, or a file in it cannot be read.
 */
export async function readMigrations(projectDirectory: string, path: string): Promise<readonly MigrationFile[]> {
  const directory = join(projectDirectory, path)
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    const names = entries.filter((entry) => !entry.isDirectory() && isMigrationFile(entry.name)).map((entry) => entry.name)
    names.sort((a, b) => (a < b ? -1 : 1))
    return await Promise.all(names.map(async (name) => parseMigration(name, await readFile(join(directory, name)))))
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const message = isAbsent ? 'there is no such folder of migrations' : `the migrations cannot be read: ${(error as Error).message}`
    throw new TaskFailure(
      { reason: 'missing-output', subject: path, message, ...(isAbsent ? { remedy: `create ${path}` } : {}) },
      { cause: error },
    )
  }
}
