/** The repository's own sources, for the tests that hold them to their rules. Tests run from `dist/`; sources are read from the tree. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the repository. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url))

export interface SourceFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

export interface Import {
  /** As written: `./pool.ts`, `zod`, `node:fs`. */
  readonly specifier: string
  /** What it names: a path in the repository, or the package (`zod`, `@dagrejs/graphlib`, `node:fs`). */
  readonly target: string
  /** `import type` and `export type`: gone before anything runs. */
  readonly isType: boolean
  /** `await import()`: loaded when it is reached, not at start. */
  readonly isLazy: boolean
  /** `export … from`. */
  readonly isReExport: boolean
}

/** Files of a folder, at any depth, sorted; an empty list when there is no such folder. */
export function filesBelow(folder: string, ending: string): string[] {
  const absolute = join(repository, folder)
  let names: string[]
  try {
    names = readdirSync(absolute, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const paths = names.filter((name) => name.endsWith(ending)).map((name) => relative(repository, join(absolute, name)))
  return paths.map((path) => path.split(sep).join('/')).sort()
}

/** TypeScript sources of the folders, sorted by path. */
export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) => filesBelow(folder, '.ts')).map((path) => sourceFile(path))
}

/** @throws Error when there is no such file. */
export function textOf(path: string): string {
  return readFileSync(join(repository, path), 'utf8')
}

function sourceFile(path: string): SourceFile {
  const text = textOf(path)
  return { path, text, imports: importsOf(path, text) }
}

/** Statements begin a line in this repository (Biome formats it), so lines inside strings and comments are not taken for imports. */
const statement = /^(?<word>import|export)(?<type> type)?\b(?:(?<names>[^'"`;()=]*?)\bfrom)?\s*'(?<specifier>[^']+)'/gm
const lazy = /\bimport\(\s*'(?<specifier>[^']+)'\s*\)/g

export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = []
  for (const { groups } of text.matchAll(statement)) {
    const specifier = groups?.['specifier'] ?? ''
    const isType = groups?.['type'] !== undefined || onlyTypes(groups?.['names'] ?? '')
    found.push({ specifier, target: targetOf(path, specifier), isType, isLazy: false, isReExport: groups?.['word'] === 'export' })
  }
  for (const match of text.matchAll(lazy)) {
    const specifier = match.groups?.['specifier'] ?? ''
    const isType = /\btypeof\s+$/.test(text.slice(0, match.index))
    found.push({ specifier, target: targetOf(path, specifier), isType, isLazy: !isType, isReExport: false })
  }
  return found
}

/** `{ type A, type B }`: the statement stays, but names nothing at run time. */
function onlyTypes(names: string): boolean {
  const inner = /^\s*\{([^}]*)\}\s*$/.exec(names)?.[1]
  if (inner === undefined) return false
  return inner
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .every((name) => name.startsWith('type '))
}

function targetOf(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier)
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}
