/** Certificates are many where targets are named in many ways, one by one say. One that is forgotten costs a run its shortest way, and that run writes it again. */
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Removes those that were written least recently, so that at most `most` are left. @throws the system's error. */
export function forgetCertificates(folder: string, most: number): void {
  const paths = readdirSync(folder).map((name) => join(folder, name))
  if (paths.length <= most) return
  const written = paths.map((path) => ({ path, atMs: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
  written.sort((one, other) => other.atMs - one.atMs)
  for (const { path } of written.slice(most)) rmSync(path, { force: true })
}
