import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openLocalCache } from '../../../cache/local.ts'
import { projectOutputs } from '../../../src/outputs/outputs.ts'

/** Path → `file <mode> <content>`, `link <target>` or `folder`: a whole tree as one comparable value. */
export type Tree = Readonly<Record<string, string>>

export function treeOf(directory: string, folder = ''): Tree {
  const entries: [string, string][] = []
  for (const name of readdirSync(join(directory, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (path === '.stagecraft') continue
    const stat = lstatSync(join(directory, path))
    if (stat.isSymbolicLink()) entries.push([path, `link ${readlinkSync(join(directory, path))}`])
    else if (stat.isDirectory()) entries.push([path, 'folder'], ...Object.entries(treeOf(directory, path)))
    else if (stat.isFile()) entries.push([path, `file ${(stat.mode & 0o777).toString(8)} ${readFileSync(join(directory, path), 'latin1')}`])
    else entries.push([path, 'special'])
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes files (`text`), executables (`!text`), links (`->target`) and folders (path ends in `/`). */
export function write(directory: string, tree: Tree): void {
  for (const [path, what] of Object.entries(tree)) {
    const absolute = join(directory, path)
    mkdirSync(path.endsWith('/') ? absolute : dirname(absolute), { recursive: true })
    if (path.endsWith('/')) continue
    if (what.startsWith('->')) symlinkSync(what.slice(2), absolute)
    else {
      writeFileSync(absolute, what.replace(/^!/, ''))
      chmodSync(absolute, what.startsWith('!') ? 0o755 : 0o644)
    }
  }
}

export interface Project {
  readonly directory: string
  readonly cache: ReturnType<typeof openLocalCache>
  readonly outputs: ReturnType<typeof projectOutputs>
  readonly warnings: string[]
}

/** A project folder with a cache, gone when the work is done. */
export async function inProject<T>(work: (project: Project) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'stagecraft-outputs-'))
  const directory = join(root, 'project')
  mkdirSync(directory)
  const warnings: string[] = []
  const cache = openLocalCache(join(directory, '.stagecraft', 'cache'), { warn: (message) => warnings.push(message) })
  try {
    return await work({ directory, cache, outputs: projectOutputs(directory, cache.content), warnings })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** What is left in staging folders; those of this process are there, empty, until it ends. */
export function staged(directory: string): readonly string[] {
  const run = join(directory, '.stagecraft', 'run')
  try {
    return readdirSync(run).flatMap((name) => (name.startsWith(`outputs.${process.pid}.`) ? readdirSync(join(run, name)) : [name]))
  } catch {
    return []
  }
}
