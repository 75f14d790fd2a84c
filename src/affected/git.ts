/** What git knows of the changes since a branch was left. Argument arrays only; reads, and takes no lock of the repository. */
import { posix } from 'node:path'
import type { Diagnostic } from '../../graph/types.ts'
import { InputError } from '../contracts.ts'
import type { RunProcess } from '../hosts/process.ts'

export interface Repository {
  /** Absolute folder of its work tree. */
  readonly top: string
  /** From there to the project's folder: '' or `packages/api/`. */
  readonly prefix: string
  git(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
}

/** What was compared with. */
export interface Base {
  /** As it was given or found: `origin/main`. */
  readonly ref: string
  /** The commit where it was left. */
  readonly commit: string
}

/** @throws InputError when the folder is in no work tree, TaskFailure when there is no git. */
export async function openRepository(directory: string, run: RunProcess, signal: AbortSignal): Promise<Repository> {
  const inFolder =
    (cwd: string) =>
    async (...args: readonly string[]) => {
      // Optional locks would make a run fail that another git command runs beside.
      const env = { GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
      return run({ argv: ['git', '--no-pager', '-c', 'core.quotePath=false', ...args], cwd, env }, { signal })
    }
  const found = await inFolder(directory)('rev-parse', '--show-toplevel', '--show-prefix')
  const [top = '', prefix = ''] = found.stdout.split('\n')
  if (found.code !== 0 || top === '')
    throw problem('SC3122', `\`--affected\` compares with a commit, and ${why(found.stderr, 'this folder is in no git repository')}`)
  return { top, prefix, git: inFolder(top) }
}

const defaultRefs = ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master'] as const

/** The commit to compare with. @throws InputError when the ref is not there, or shares no history that is. */
export async function findBase(repository: Repository, given: string | undefined): Promise<Base> {
  const { git } = repository
  if (given?.startsWith('-')) throw problem('SC3123', `\`${given}\` is no name of a commit`)
  for (const ref of given === undefined ? defaultRefs : [given]) {
    const found = await git('rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`)
    if (found.code !== 0) continue
    const shown = ref === 'origin/HEAD' ? await branchBehind(repository) : ref
    return { ref: shown, commit: await mergeBase(repository, shown, found.stdout.trim()) }
  }
  const isShallow = await isShallowClone(repository)
  const name = given ?? 'main'
  const remedy = isShallow
    ? `this clone is shallow: fetch it first, as in \`git fetch --depth 100 origin ${name.replace(/^origin\//, '')}\` (in GitHub Actions: \`fetch-depth: 0\`)`
    : given === undefined
      ? 'name one: `--affected=<ref>`'
      : 'fetch it, or name another: `--affected=<ref>`'
  const missing =
    given === undefined ? `none of ${defaultRefs.join(', ')} is there to compare with` : `git knows no commit called \`${given}\``
  throw problem('SC3123', `${missing}; ${remedy}`)
}

async function branchBehind({ git }: Repository): Promise<string> {
  const { code, stdout } = await git('symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD')
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : 'origin/HEAD'
}

async function mergeBase(repository: Repository, ref: string, commit: string): Promise<string> {
  const { code, stdout, stderr } = await repository.git('merge-base', commit, 'HEAD')
  if (code === 0) return stdout.trim()
  if (await isShallowClone(repository)) {
    throw problem(
      'SC3124',
      `this clone is shallow, and does not reach back to where \`${ref}\` was left: deepen it, as in \`git fetch --deepen 200\` or \`git fetch --unshallow\` (in GitHub Actions: \`fetch-depth: 0\`)`,
    )
  }
  throw problem('SC3124', `nothing can be compared with \`${ref}\`: ${why(stderr, 'it has no commit in common with what is checked out')}`)
}

async function isShallowClone({ git }: Repository): Promise<boolean> {
  return (await git('rev-parse', '--is-shallow-repository')).stdout.trim() === 'true'
}

/**
 * Project-relative paths that differ between a commit and the work tree: committed since, staged or not, deleted, and untracked. A rename
 * is both of its names. What git ignores cannot be compared, and is taken as unchanged.
 */
export async function changedPaths(repository: Repository, { commit }: Base): Promise<readonly string[]> {
  const { git, prefix } = repository
  const [tracked, untracked] = await Promise.all([
    git('diff', '--no-ext-diff', '--no-renames', '--no-relative', '--ignore-submodules=none', '--name-only', '-z', commit, '--'),
    git('ls-files', '--others', '--exclude-standard', '-z'),
  ])
  for (const { code, stderr } of [tracked, untracked])
    if (code !== 0) throw problem('SC3124', `git cannot tell what changed: ${why(stderr, `exit code ${code}`)}`)
  const paths = [tracked, untracked].flatMap(({ stdout }) => stdout.split('\0')).filter((path) => path !== '')
  // A folder is a repository of its own: its `.git` stands for all in it.
  return paths.map((path) => posix.relative(prefix, path.endsWith('/') ? `${path}.git` : path)).sort()
}

/** A project-relative file as it was in a commit; undefined when it was not there. */
export async function fileAt({ git, prefix }: Repository, commit: string, path: string): Promise<string | undefined> {
  const { code, stdout } = await git('cat-file', 'blob', `${commit}:${posix.join(prefix, path)}`)
  return code === 0 ? stdout : undefined
}

function why(stderr: string, otherwise: string): string {
  const line = stderr.split('\n').find((text) => text.startsWith('fatal: ') || text.startsWith('error: '))
  return line === undefined || line.includes('not a git repository') ? otherwise : line.replace(/^(?:fatal|error): /, '')
}

function problem(code: 'SC3122' | 'SC3123' | 'SC3124', message: string): InputError {
  const diagnostic: Diagnostic = { code, severity: 'error', message }
  return new InputError([diagnostic])
}
