import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Text, or how to make something else. */
export type Entry = string | { readonly link: string } | { readonly text: string; readonly mode: number }

/** Writes a tree of files, all last changed in the year 2001, so that they are at rest. */
export function plant(directory: string, entries: Readonly<Record<string, Entry>>): void {
  for (const [path, entry] of Object.entries(entries)) {
    const absolute = join(directory, path)
    mkdirSync(dirname(absolute), { recursive: true })
    if (typeof entry === 'object' && 'link' in entry) {
      symlinkSync(entry.link, absolute)
      continue
    }
    writeFileSync(absolute, typeof entry === 'string' ? entry : entry.text)
    if (typeof entry === 'object') chmodSync(absolute, entry.mode)
    utimesSync(absolute, 1e9, 1e9)
  }
}
