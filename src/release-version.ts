/** Which version a release is recorded under. */
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export interface ReleaseVersion {
  /** `--version`, STAGECRAFT_RELEASE_VERSION, GITHUB_SHA, or the commit checked out; undefined when there is none. */
  readonly version?: string
  /** The commit checked out, recorded even when another version is given. */
  readonly commit?: string
}

/** An OCI tag: what `<repository>:<version>` allows (distribution-spec, "Pulling manifests"). */
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** @returns undefined when the version is fine, else what is wrong with it. */
export function versionProblem(version: string): string | undefined {
  return tagPattern.test(version)
    ? undefined
    : `version \`${version}\` is not a valid image tag: letters, digits, \`_\`, \`.\` and \`-\`, at most 128`
}

/** Reads files only: no git process, so that a plan starts none. */
export function releaseVersion(
  directory: string,
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ReleaseVersion {
  const commit = headCommit(directory)
  const version = given ?? nonEmpty(env['STAGECRAFT_RELEASE_VERSION']) ?? nonEmpty(env['GITHUB_SHA']) ?? commit
  return { ...(version === undefined ? {} : { version }), ...(commit === undefined ? {} : { commit }) }
}

/** True when tracked files differ from the commit; false when they do not or nobody can say. */
export function isDirty(directory: string): Promise<boolean> {
  return new Promise((settle) => {
    execFile('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: directory, timeout: 10_000 }, (error, stdout) => {
      settle(error === null && stdout.trim() !== '')
    })
  })
}

/** Follows `.git` (a folder, or a worktree's file), `HEAD`, refs and packed refs (gitrepository-layout(5)). */
function headCommit(directory: string): string | undefined {
  const git = gitDirectory(directory)
  if (git === undefined) return undefined
  const head = readText(join(git, 'HEAD'))?.trim()
  if (head === undefined) return undefined
  const reference = /^ref: (.+)$/.exec(head)?.[1]
  if (reference === undefined) return /^[0-9a-f]{40,64}$/.test(head) ? head : undefined
  const common = resolve(git, readText(join(git, 'commondir'))?.trim() ?? '.')
  const loose = (readText(join(git, reference)) ?? readText(join(common, reference)))?.trim()
  if (loose !== undefined) return loose
  const packed = readText(join(common, 'packed-refs'))?.split('\n') ?? []
  return packed.find((line) => line.endsWith(` ${reference}`))?.split(' ')[0]
}

function gitDirectory(directory: string): string | undefined {
  for (let current = resolve(directory); ; current = dirname(current)) {
    const candidate = join(current, '.git')
    const stats = statSync(candidate, { throwIfNoEntry: false })
    if (stats?.isDirectory()) return candidate
    if (stats?.isFile()) {
      const target = /^gitdir: (.+)$/m.exec(readText(candidate) ?? '')?.[1]
      return target === undefined ? undefined : resolve(current, target)
    }
    if (dirname(current) === current) return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
    throw error
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}
