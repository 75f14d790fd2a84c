/** Which files a set names, walked anew each time: contexts of images, with their ignore files, and folders. */
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import type { FileSet } from '../../tasks/kind.ts'
import { type IgnoreRules, parseDockerignore } from './dockerignore.ts'
import { refused, unreadable } from './refused.ts'
import { walk } from './walk.ts'

/** Below `.stagecraft/` only these are the user's own. */
const ownFiles = /^\.stagecraft\/(?!(?:agent|templates|tests)(?:\/|$))/

/** What Stagecraft itself keeps is nobody's input. */
export function isOwnFile(path: string): boolean {
  return ownFiles.test(path)
}

/** Project-relative and sorted. @throws TaskFailure for a root or an `always` file that is not there or cannot be read. */
export function filesOfSet(directory: string, set: FileSet): readonly string[] {
  const always = (set.always ?? []).flatMap((path) => required(directory, posix.normalize(path)))
  return [...new Set([...listed(directory, set), ...always])].sort()
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
    enters: (path) => !isOwnFile(below(path)) && !isExcepted(below(path), set) && (rules?.enters(path) ?? true),
  })
  return wanted
    .filter((path) => rules?.keeps(path) ?? true)
    .map(below)
    .filter((path) => !isOwnFile(path) && !isExcepted(path, set))
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
