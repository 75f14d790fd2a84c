import { readFileSync } from 'node:fs'

/** Set by the bundler; absent when the code runs from `dist/` or from source. */
declare const STAGECRAFT_BUILD_VERSION: string | undefined

/** The version in package.json: inlined in the published program, read from the nearest package.json otherwise. */
export function version(): string {
  if (typeof STAGECRAFT_BUILD_VERSION === 'string') return STAGECRAFT_BUILD_VERSION
  for (let directory = new URL('.', import.meta.url); ; directory = new URL('..', directory)) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', directory), 'utf8'))
      if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || directory.pathname === '/') throw error
    }
  }
}
