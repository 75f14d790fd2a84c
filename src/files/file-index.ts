/** Reduces the user's files to states that enter fingerprints: the same on every machine, whatever the times and wherever the checkout. */
import { type BigIntStats, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { codeOf } from '../../cache/foreign.ts'
import type { FileState } from '../../graph/types.ts'
import type { FileSet } from '../../tasks/kind.ts'
import { type IgnoreRules, parseDockerignore } from './dockerignore.ts'
import { hashFile } from './hash-file.ts'
import { refused, unreadable } from './refused.ts'
import { StatIndex } from './stat-index.ts'
import { walk } from './walk.ts'

export interface FileIndex {
  /**
   * Project-relative path → state, sorted by code unit. What Stagecraft itself keeps in `.stagecraft/` is never an input.
   * @throws TaskFailure naming the path: a missing `always` file or root, something unreadable, a pipe, socket or device.
   */
  states(set: FileSet): Promise<Record<string, FileState>>
  /** Keeps what was learned for the next process. */
  save(): Promise<void>
}

/** Files read between two turns of the event loop, so that signals and the screen are served. */
const filesPerTurn = 512

/** Below `.stagecraft/` only these are the user's own. */
export const ownFiles = /^\.stagecraft\/(?!(?:agent|templates|tests)(?:\/|$))/

/**
 * @param directory absolute folder of the manifest.
 * @param indexPath file that remembers stats, made when first saved; losing it costs time only.
 * @param now milliseconds by the clock that also stamps files.
 */
export function openFileIndex(directory: string, indexPath: string, now: () => number = Date.now): FileIndex {
  let opened: StatIndex | undefined
  const stats = (): StatIndex => {
    opened ??= new StatIndex(indexPath)
    return opened
  }
  const absolute = (path: string): string => join(directory, path)

  /** The state of one listed path; undefined when it has just gone. */
  const stateOf = (path: string): { readonly state: FileState; readonly wasRead: boolean } | undefined => {
    try {
      const stat = lstatSync(absolute(path), { bigint: true })
      if (stat.isSymbolicLink()) return { state: `link:${readlinkSync(absolute(path))}`, wasRead: false }
      if (!stat.isFile()) throw special(path, stat)
      const known = stats().find(path, stat)
      if (known) return { state: known, wasRead: false }
      const nowMs = now()
      const state = `${hashFile(absolute(path))}${(stat.mode & 0o100n) === 0n ? '' : '+x'}`
      stats().remember(path, stat, state, nowMs)
      return { state, wasRead: true }
    } catch (error) {
      if (codeOf(error) === 'ENOENT' && !path.includes('\uFFFD')) return undefined
      throw error instanceof Error && error.name === 'TaskFailure' ? error : unreadable(path, error)
    }
  }

  return {
    async states(set) {
      const paths = new Set([
        ...listed(directory, set),
        ...(set.always ?? []).flatMap((path) => required(directory, posix.normalize(path))),
      ])
      const found: [string, FileState][] = []
      let filesRead = 0
      for (const path of [...paths].sort()) {
        const file = stateOf(path)
        if (!file) continue
        found.push([path, file.state])
        if (file.wasRead && ++filesRead % filesPerTurn === 0) await setImmediate()
      }
      return Object.fromEntries(found)
    },
    async save() {
      opened?.save(absolute)
    },
  }
}

/** Project-relative paths of a set, but for its `always`. */
function listed(directory: string, set: FileSet): readonly string[] {
  const root = posix.normalize(set.root).replace(/\/$/, '')
  const outside = root === '..' || root.startsWith('../')
  // A root above the project meets the project again by its folder's name, which must not matter.
  const below = (path: string): string =>
    outside
      ? relative(directory, join(directory, root, path))
          .split(sep)
          .join('/')
      : posix.join(root, path)
  const stat = statSync(join(directory, root), { throwIfNoEntry: false })
  if (!stat?.isDirectory()) {
    throw refused(
      root,
      stat ? `\`${root}\` is not a folder` : `the folder \`${root}\` does not exist`,
      'correct the path in the manifest or the Compose file',
    )
  }
  const rules = set.dockerignore === undefined ? undefined : readRules(directory, set.dockerignore)
  const wanted = walk({
    root: join(directory, root),
    shown: below,
    include: set.include,
    enters: (path) => !ownFiles.test(below(path)) && !isExcepted(below(path), set) && (rules?.enters(path) ?? true),
  })
  return wanted
    .filter((path) => rules?.keeps(path) ?? true)
    .map(below)
    .filter((path) => !ownFiles.test(path) && !isExcepted(path, set))
}

function isExcepted(path: string, { except = [] }: FileSet): boolean {
  return except.some((excepted) => path === excepted || path.startsWith(`${excepted}/`))
}

function readRules(directory: string, path: string): IgnoreRules | undefined {
  try {
    return parseDockerignore(readFileSync(join(directory, path), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unreadable(path, error)
  }
}

/** A file that must be there and, when it is a symbolic link, the file it leads to: both decide what is built. */
function required(directory: string, path: string): readonly string[] {
  const stat = lstatSync(join(directory, path), { throwIfNoEntry: false })
  const missing = (): Error =>
    refused(path, `\`${path}\` does not exist`, 'create it, or correct its path in the manifest or the Compose file')
  if (!stat) throw missing()
  if (!stat.isSymbolicLink()) return [path]
  let target: string
  try {
    target = realpathSync(join(directory, path))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw missing()
    throw unreadable(path, error)
  }
  const project = realpathSync(directory)
  const isInside = [project, realpathSync(dirname(join(directory, path)))].some((folder) => target.startsWith(`${folder}${sep}`))
  if (!isInside)
    throw refused(path, `\`${path}\` is a symbolic link out of the project, to \`${target}\``, 'put the file itself into the project')
  return [path, relative(project, resolve(target)).split(sep).join('/')]
}

function special(path: string, stat: BigIntStats): Error {
  const what = stat.isFIFO() ? 'a named pipe' : stat.isSocket() ? 'a socket' : stat.isDirectory() ? 'a folder' : 'a device'
  return refused(path, `\`${path}\` is ${what}; an input is a file or a symbolic link`, 'remove it, or leave it out with an ignore file')
}
