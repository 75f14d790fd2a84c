import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { digestOfFile } from '../../cache/blobs.ts'
import type { ContentStore } from '../../cache/cache.ts'
import { codeOf, messageOf } from '../../cache/foreign.ts'
import { digestOf } from '../../graph/fingerprint.ts'
import { nearest } from '../../graph/nearest.ts'
import type { ActionResult, Digest, OutputFile } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { LeadsOutside, type Listing, listOutputs, listPositive, parentOf } from './list.ts'
import { lookAt } from './look-at.ts'
import { matchesSimply, type Patterns, type Positive } from './patterns.ts'

type Captured = Pick<ActionResult, 'files' | 'links' | 'folders'>

/** Larger files are copied into the store in pieces, where it can do that. */
const inOnePieceBytes = 1024 * 1024

/**
 * @param cwd project-relative folder the command ran in, for messages.
 * @throws TaskFailure `missing-output` for a pattern without a match; `refused` for what cannot be kept.
 */
export async function captureOutputs(directory: string, patterns: Patterns, content: ContentStore, cwd: string): Promise<Captured> {
  const listing = await described(listOutputs(directory, patterns))
  for (const positive of patterns.positives) {
    // Of a single pattern, all that is listed is its own.
    const isMatched = patterns.isGlob
      ? patterns.positives.length === 1
        ? listing.size > 0
        : await isListed(directory, positive, listing)
      : [...listing.keys()].some((path) => isOf(positive, path))
    if (!isMatched) throw missing(directory, positive, cwd)
  }
  const files: [string, OutputFile][] = []
  const links: [string, string][] = []
  const folders: string[] = []
  for (const path of [...listing.keys()].sort()) {
    const kind = listing.get(path)
    if (kind === 'special') throw special(path)
    if (kind === 'folder') folders.push(path)
    else if (kind === 'link') links.push([path, readlinkSync(join(directory, path))])
    else files.push([path, await described(captureFile(directory, path, content))])
  }
  return {
    files: Object.fromEntries(files),
    ...(links.length > 0 && { links: Object.fromEntries(links) }),
    ...(folders.length > 0 && { folders }),
  }
}

async function captureFile(directory: string, path: string, content: ContentStore): Promise<OutputFile> {
  const absolute = join(directory, path)
  const stat = lstatSync(absolute)
  if (!stat.isFile()) throw special(path)
  const digest = stat.size <= inOnePieceBytes ? await keep(readFileSync(absolute), content) : await keepLarge(absolute, content)
  return { digest, executable: (stat.mode & 0o100) !== 0, mode: stat.mode & 0o777 }
}

/** What the task made is good whether or not it can be kept; the store says so when the result is to be stored without it. */
async function keep(bytes: Uint8Array, content: ContentStore): Promise<Digest> {
  try {
    return await content.write(bytes)
  } catch {
    return digestOf(bytes)
  }
}

async function keepLarge(absolute: string, content: ContentStore): Promise<Digest> {
  if (!content.writeFile) return keep(await readFile(absolute), content)
  try {
    return await content.writeFile(absolute)
  } catch {
    return digestOfFile(absolute)
  }
}

/** Patterns that are matched by name only need no second look at the disk. */
function isOf(positive: Positive, path: string): boolean {
  return matchesSimply({ positives: [positive], withoutPaths: [], isGlob: false, globs: [] }, path)
}

async function isListed(directory: string, positive: Positive, listing: Listing): Promise<boolean> {
  for (const path of (await listPositive(directory, positive)).keys()) if (listing.has(path)) return true
  return false
}

/** Failures of the world, told with the path they are about. */
async function described<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof LeadsOutside) {
      throw refused(
        error.path,
        `outputs are never taken from outside the project, and ${error.message}`,
        'let the command write into the project',
        error,
      )
    }
    if (codeOf(error) === undefined) throw error
    throw refused('outputs', `the outputs cannot be kept: ${messageOf(error)}`, 'make them readable, or free some space', error)
  }
}

function special(path: string): TaskFailure {
  const message = `the output \`${path}\` is a socket, a pipe or a device, which cannot be kept`
  return refused(path, message, `leave it out with \`!${path}\`, or have the command remove it when it ends`)
}

function refused(subject: string, message: string, remedy: string, cause?: unknown): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject, message, remedy }, cause === undefined ? {} : { cause })
}

/** Names the pattern, where the command ran, and what is there instead. */
function missing(directory: string, { text, base }: Positive, cwd: string): TaskFailure {
  let folder = base
  while (folder !== '' && !lookAt(join(directory, folder))?.isDirectory()) folder = parentOf(folder)
  const shown = folder === '' ? 'the project' : `\`${folder}\``
  const names = readdirSync(join(directory, folder), { withFileTypes: true })
    .filter(({ name }) => name !== '.git' && name !== '.stagecraft')
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort()
  const wanted = base.slice(folder === '' ? 0 : folder.length + 1).split('/')[0] ?? ''
  const close =
    wanted === ''
      ? undefined
      : nearest(
          wanted,
          names.map((name) => name.replace(/\/$/, '')),
        )
  const there = names.length === 0 ? 'nothing' : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
  return new TaskFailure({
    reason: 'missing-output',
    subject: text,
    message: `it succeeded, but wrote nothing that matches \`${text}\`; it ran in ${cwd === '.' ? "the project's folder" : `\`${cwd}\``}, and in ${shown} there is ${there}`,
    remedy: close === undefined ? 'correct `outputs`, which are relative to `cwd`' : `did you mean \`${posix.join(folder, close)}\`?`,
  })
}
