/** The files that the rules of `src/gov` look at. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { TaskFailure } from '../../../tasks/kind.ts'
import { registerPath } from '../../gov/register.ts'
import type { Repository } from '../../gov/repository.ts'

/** @throws TaskFailure when something there cannot be read. */
export function readRepository(root: string): Repository {
  const paths = [registerPath, ...markdownBelow(root, 'spec'), ...markdownBelow(root, 'docs/adr')]
  const texts = paths.flatMap((path): [string, string][] => {
    const text = orNothing(path, () => readFileSync(join(root, path), 'utf8'))
    return text === undefined ? [] : [[path, text]]
  })
  return { files: new Map(texts), exists: (path) => orNothing(path, () => statSync(join(root, path)).isFile()) ?? false }
}

/** The name in the repository's package.json, if it has one. */
export function packageName(root: string): unknown {
  const text = orNothing('package.json', () => readFileSync(join(root, 'package.json'), 'utf8'))
  try {
    const manifest: unknown = JSON.parse(text ?? '{}')
    return typeof manifest === 'object' && manifest !== null && 'name' in manifest ? manifest.name : undefined
  } catch {
    // Another program's file, and not what is checked here.
    return undefined
  }
}

function markdownBelow(root: string, folder: string): string[] {
  const names = orNothing(folder, () => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) ?? []
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name.split(sep).join('/')}`)
}

function orNothing<T>(subject: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const remedy = 'make it a file that you may read'
    throw new TaskFailure({ reason: 'refused', subject, message: `it cannot be read: ${message}`, remedy }, { cause: error })
  }
}
