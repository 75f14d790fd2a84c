/**
 * The user's tasks of a manifest, kept ready: what reading YAML, checking it and making tasks of it came to. Loses nothing but time when it
 * is not there. Kept under the digest of the manifest's bytes and our own identity, so that it can only be believed for what it was made from.
 */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { replaceFile } from '../../cache/replace-file.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import { version } from '../cli/version.ts'
import type { UserProject } from '../pipelines/user-project.ts'

/** Raised when the form of what is kept changes. */
const form = 2

interface Header {
  readonly form: number
  /** Of the manifest's bytes, how messages name it, and this build. */
  readonly key: string
  /** Of the second line. */
  readonly body: string
}

/** What the kept form stands or falls with; undefined when the manifest cannot be read. */
export function compiledKey(path: string, shownAs: string): string | undefined {
  try {
    return digestOf(`${digestOf(readFileSync(path))} ${shownAs} ${buildIdentity()}`)
  } catch {
    // Whoever loads the manifest says why.
    return undefined
  }
}

/** Undefined for what is not there, was made from something else or by another build, or is damaged. */
export function readCompiled(path: string, key: string | undefined): UserProject | undefined {
  if (key === undefined) return undefined
  try {
    const text = readFileSync(compiledPath(path), 'utf8')
    const end = text.indexOf('\n')
    const header = JSON.parse(text.slice(0, end)) as Partial<Header>
    if (header.form !== form || header.key !== key) return undefined
    const body = text.slice(end + 1)
    return header.body === digestOf(body) ? (JSON.parse(body) as UserProject) : undefined
  } catch {
    return undefined
  }
}

/** Keeps it for the next process, if it can: a folder that cannot be written to costs time, not the run. */
export function writeCompiled(path: string, key: string, project: UserProject): void {
  const body = JSON.stringify(project)
  const header: Header = { form, key, body: digestOf(body) }
  try {
    replaceFile(compiledPath(path), `${JSON.stringify(header)}\n${body}`)
  } catch {
    return
  }
}

function compiledPath(manifest: string): string {
  return join(dirname(manifest), '.stagecraft', 'run', 'compiled.json')
}

/** Bundled chunks are named by their content, and with them by that of all they import; unbundled files are written anew by every build. */
function buildIdentity(): string {
  const file = fileURLToPath(import.meta.url)
  const { mtimeMs, size } = statSync(file)
  return `${version()} ${basename(file)} ${size} ${mtimeMs}`
}
