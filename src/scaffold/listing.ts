/** Reads the few things about a folder that `init` guesses from. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { codeOf } from '../../cache/foreign.ts'
import type { ComposeService } from '../config/compose-file.ts'
import type { PackageFile } from './package-scripts.ts'

export interface Listing {
  /** Name of the folder. */
  readonly folder: string
  /** Names in the folder, sorted. */
  readonly names: readonly string[]
  /** The Compose file's name and services, when there is one. */
  readonly compose?: { readonly name: string; readonly services: readonly ComposeService[] }
  readonly dockerfile?: string
  /** The `package.json`, when it can be read and has scripts. */
  readonly packageFile?: PackageFile
  /** Text of the repository's `.git/config`. */
  readonly gitConfig?: string
  /** Folders, relative, that may hold migrations → the names of their `.sql` files. Only those with any. */
  readonly migrations: Readonly<Record<string, readonly string[]>>
  /** Folders, relative, that are built and have no `.dockerignore`. */
  readonly withoutIgnoreFile: readonly string[]
}

/** Names Compose itself looks for, in its order. */
const composeNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const migrationFolders = ['migrations', 'db/migrations', 'database/migrations', 'sql/migrations', 'db/migrate']

/** The name of the Compose file that Compose would use in this folder. */
export function composeNameIn(directory: string): string | undefined {
  return composeNames.find((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.isFile())
}

/** @throws the system's error when the folder cannot be listed. */
export function readListing(directory: string, compose: Listing['compose']): Listing {
  const contexts = [...new Set((compose?.services ?? []).flatMap(contextOf))].sort()
  const folders = [
    ...new Set([...migrationFolders, ...contexts.flatMap((context) => migrationFolders.map((folder) => join(context, folder)))]),
  ]
  const dockerfile = textOf(join(directory, 'Dockerfile'))
  const gitConfig = gitConfigAbove(directory)
  return {
    folder: basename(resolve(directory)),
    names: readdirSync(directory).sort(),
    ...(compose && { compose }),
    ...(dockerfile !== undefined && { dockerfile }),
    ...packageIn(directory),
    ...(gitConfig !== undefined && { gitConfig }),
    migrations: Object.fromEntries(
      folders.map((folder) => [folder, sqlIn(join(directory, folder))] as const).filter(([, files]) => files.length > 0),
    ),
    withoutIgnoreFile: contexts.filter((context) => !existsSync(join(directory, context, '.dockerignore'))),
  }
}

/** Nothing for a file that is not what npm expects: it is only guessed from. */
function packageIn(directory: string): { readonly packageFile?: PackageFile } {
  const text = textOf(join(directory, 'package.json'))
  const found = packageShape.safeParse(text === undefined ? undefined : parsedJson(text))
  if (!found.success || Object.keys(found.data.scripts).length === 0) return {}
  const { scripts, workspaces } = found.data
  return { packageFile: { scripts, workspaces: Array.isArray(workspaces) ? workspaces : workspaces.packages } }
}

const globList = z.array(z.string().regex(/^[^!/][^\s]*$/))
const packageShape = z.object({
  scripts: z.record(z.string(), z.string()).default({}),
  workspaces: z.union([globList, z.object({ packages: globList.default([]) })]).default([]),
})

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Folder a service is built from, when it is one inside the project. */
export function contextOf({ definition }: ComposeService): readonly string[] {
  const { build } = definition
  if (typeof build !== 'object' || build === null || !('context' in build || 'dockerfile' in build)) return []
  const context = 'context' in build && typeof build['context'] === 'string' ? build['context'] : '.'
  return /[$:]|^\/|^\.\./.test(context) ? [] : [join(context)]
}

function sqlIn(directory: string): readonly string[] {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

/** The configuration of the repository around a folder. A worktree's `.git` is a file that says where the real one is. */
function gitConfigAbove(directory: string): string | undefined {
  const git = join(directory, '.git')
  if (existsSync(git)) {
    const pointer = /^gitdir: (.+?)\/worktrees\//m.exec(textOf(git) ?? '')?.[1]
    return textOf(join(pointer === undefined ? git : resolve(directory, pointer), 'config'))
  }
  const above = dirname(resolve(directory))
  return above === resolve(directory) ? undefined : gitConfigAbove(above)
}

/** @returns undefined for what is not there or is a folder: it is only guessed from. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}
