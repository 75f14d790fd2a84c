/** What tasks leave in the project folder: found by pattern, kept in the content store, put back. */
import { chmodSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { globSync } from 'tinyglobby'
import type { ContentStore } from '../../cache/cache.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import type { ActionResult, OutputFile } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Outputs } from '../../tasks/ports.ts'

/** @param directory absolute folder of the manifest. */
export function projectOutputs(directory: string, content: ContentStore): Outputs {
  const found = (patterns: readonly string[]) =>
    patterns.length === 0 ? [] : globSync(patterns, { cwd: directory, dot: true, followSymbolicLinks: false }).sort()
  return {
    async prepare(patterns) {
      for (const pattern of patterns.filter((one) => !one.startsWith('!'))) {
        const fixed = pattern.split('/').slice(0, -1)
        const end = fixed.findIndex((part) => /[*?[{(]/.test(part))
        mkdirSync(join(directory, ...(end === -1 ? fixed : fixed.slice(0, end))), { recursive: true })
      }
    },
    async capture(patterns) {
      const files: Record<string, OutputFile> = {}
      const links: Record<string, string> = {}
      for (const path of found(patterns)) {
        const stat = lstatSync(join(directory, path))
        if (stat.isSymbolicLink()) links[path] = readlinkSync(join(directory, path))
        else
          files[path] = {
            digest: await content.write(readFileSync(join(directory, path))),
            executable: (stat.mode & 0o100) !== 0,
            mode: stat.mode & 0o777,
          }
      }
      for (const pattern of patterns) {
        if (pattern.startsWith('!') || found([pattern]).length > 0) continue
        throw new TaskFailure({
          reason: 'missing-output',
          subject: pattern,
          message: `it succeeded, but wrote nothing that matches \`${pattern}\``,
        })
      }
      return { files, ...(Object.keys(links).length > 0 && { links }) }
    },
    isIntact: async (patterns, result) => isIntact(directory, found(patterns), result),
    async restore(patterns, result) {
      if (isIntact(directory, found(patterns), result)) return { state: 'intact' }
      const contents = new Map<string, Uint8Array>()
      for (const [path, { digest }] of Object.entries(result.files)) {
        const bytes = await content.read(digest)
        if (!bytes) return { state: 'impossible', detail: `cannot be put back: ${path} is no longer in the cache` }
        contents.set(path, bytes)
      }
      for (const path of found(patterns)) rmSync(join(directory, path))
      for (const [path, bytes] of contents) {
        mkdirSync(dirname(join(directory, path)), { recursive: true })
        writeFileSync(join(directory, path), bytes)
        chmodSync(join(directory, path), result.files[path]?.mode ?? 0o644)
      }
      for (const [path, target] of Object.entries(result.links ?? {})) symlinkSync(target, join(directory, path))
      return { state: 'restored', files: contents.size }
    },
  }
}

function isIntact(directory: string, found: readonly string[], { files, links = {} }: ActionResult): boolean {
  const wanted = [...Object.keys(files), ...Object.keys(links)].sort()
  if (found.length !== wanted.length || found.some((path, index) => path !== wanted[index])) return false
  return found.every((path) => {
    const target = links[path]
    if (target !== undefined) return readlinkSync(join(directory, path)) === target
    return digestOf(readFileSync(join(directory, path))) === files[path]?.digest
  })
}
