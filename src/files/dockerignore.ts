import { posix } from 'node:path'
import dockerignore from '@balena/dockerignore'

/** What an ignore file keeps. Paths are relative to the folder it speaks of, `/`-separated. */
export interface IgnoreRules {
  keeps(path: string): boolean
  /** False when nothing below this folder can be kept, so that it need not be read. */
  enters(directory: string): boolean
}

/**
 * Docker's rules (https://docs.docker.com/build/concepts/context/#dockerignore-files): the last matching line decides, a line also
 * covers what is below the folder it names, and `!` takes back, even inside an ignored folder.
 */
export function parseDockerignore(text: string): IgnoreRules {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  // The library ignores case unless told otherwise; Docker does not.
  const rules = dockerignore.default({ ignorecase: false }).add(lines)
  const takenBack = lines.filter((line) => line.trim().startsWith('!')).map((line) => cleaned(line.trim().slice(1).trim()))
  const keeps = (path: string): boolean => !rules.ignores(path)
  return {
    keeps,
    enters: (directory) => keeps(directory) || takenBack.some((pattern) => mayMatchBelow(pattern, directory.split('/'))),
  }
}

function cleaned(pattern: string): readonly string[] {
  return posix
    .normalize(pattern)
    .split('/')
    .filter((segment) => segment !== '')
}

/** Errs on the side of yes: a wildcard may be anything. */
function mayMatchBelow(pattern: readonly string[], directory: readonly string[]): boolean {
  for (const [index, name] of directory.entries()) {
    const segment = pattern[index]
    if (segment === undefined || segment.includes('**')) return true
    if (!/[*?[\\]/.test(segment) && segment !== name) return false
  }
  return true
}
