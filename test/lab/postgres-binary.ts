import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a PostgreSQL server program; Debian keeps these off PATH, one folder for each major version. */
export function postgresBinary(name: 'initdb' | 'postgres'): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
