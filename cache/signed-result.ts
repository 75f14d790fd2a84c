/**
 * What another machine may tell this one to put into the project. A signature says who wrote an entry, not that it does no harm, and not every
 * cache is signed: a result that reaches outside the project, or into what Stagecraft and git keep there, is refused whoever wrote it.
 * Whether a task declared what a result holds is for the task's kind to say. Pure.
 */
import { posix } from 'node:path'
import type { ActionResult, Fingerprint } from '../graph/types.ts'
import { type ActionRecord, blobsOf, parseRecord } from './action-record.ts'
import { isObject } from './foreign.ts'

/** What a single PUT to S3 may hold is a little more. */
const largestBlobBytes = 4 * 1024 ** 3
const largestResultBytes = 8 * 1024 ** 3
const mostPaths = 200_000
const longestPath = 4096
const deepestValue = 64
const partsOfResult: ReadonlySet<string> = new Set(['files', 'links', 'folders', 'log', 'values'])

/** A record from its text, or why it is refused: completes "the entry …". */
export function parseSharedRecord(text: string, fingerprint: Fingerprint): ActionRecord | { readonly refused: string } {
  const record = parseRecord(text, fingerprint)
  if (!record) return { refused: 'is not a result of this task' }
  const refused = whyNotShared(record)
  return refused === undefined ? record : { refused }
}

/** Why a result is neither taken from others nor given to them: completes "the entry …". Takes nothing of its shape for granted. */
export function whyNotShared({ result, sizes }: Pick<ActionRecord, 'result' | 'sizes'>): string | undefined {
  return whyMalformed(result) ?? whyTooLarge(result, sizes) ?? whyUnsafe(result)
}

function whyMalformed(result: ActionResult): string | undefined {
  const { files, links, folders, log, values } = result as unknown as Readonly<Record<string, unknown>>
  const unknown = Object.keys(result).find((key) => !partsOfResult.has(key))
  if (unknown !== undefined) return `has a part \`${unknown}\`, which this version does not know`
  if (!isObject(files) || !Object.values(files).every(isFile)) return 'has a file that is none'
  if (links !== undefined && !(isObject(links) && Object.values(links).every(isText))) return 'has a symbolic link that is none'
  if (folders !== undefined && !(Array.isArray(folders) && folders.every(isText))) return 'has a folder that is none'
  if (log !== undefined && !isDigest(log)) return 'has a log that is none'
  if (!isObject(values) || !isPlain(values)) return 'has values that are not plain'
  return undefined
}

function whyTooLarge(result: ActionResult, sizes: ActionRecord['sizes']): string | undefined {
  if (pathsOf(result).length > mostPaths) return `has more than ${mostPaths} files`
  let total = 0
  for (const digest of blobsOf(result)) {
    const size = sizes[digest]
    if (size === undefined || !Number.isSafeInteger(size) || size < 0) return `does not say how large blob ${digest.slice(0, 12)} is`
    if (size > largestBlobBytes) return `has a file larger than ${largestBlobBytes} bytes`
    total += size
  }
  return total > largestResultBytes ? `is larger than ${largestResultBytes} bytes in all` : undefined
}

function whyUnsafe(result: ActionResult): string | undefined {
  const links = Object.entries(result.links ?? {})
  const paths = pathsOf(result)
  const unsafe = paths.find((path) => !isSafePath(path))
  if (unsafe !== undefined) return `has a file at ${shown(unsafe)}, which no task may write`
  const astray = links.find(([path, target]) => !leadsInside(path, target))
  if (astray) return `has a symbolic link ${shown(astray[0])} that leads to ${shown(astray[1])}`
  // Folded: on a file system that does not tell `A` from `a`, a link at one is a link at the other.
  const linked = new Set(links.map(([path]) => folded(path)))
  const files = new Set(Object.keys(result.files))
  const below = paths.find((path) => ancestors(path).some((above) => linked.has(folded(above)) || files.has(above)))
  if (below !== undefined) return `has a file ${shown(below)} below something that is no folder`
  const twice = new Set(paths.filter((path) => linked.has(folded(path))).map(folded)).size < links.length
  return twice || new Set(paths).size < paths.length ? 'has two files at one path' : undefined
}

function pathsOf({ files, links = {}, folders = [] }: ActionResult): readonly string[] {
  return [...Object.keys(files), ...Object.keys(links), ...folders]
}

/** Project-relative, in normal form, printable, and not where git or Stagecraft keep what they act on. */
export function isSafePath(path: string): boolean {
  if (path === '' || path.length > longestPath || /[\p{Cc}\\]/u.test(path) || /^[A-Za-z]:/.test(path)) return false
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part === '__proto__' || isKept(part))) return false
  return !/^stagecraft\.ya?ml$/.test(folded(path))
}

/** Spellings that some file systems take for `.git` are among them (git's CVE-2014-9390). */
function isKept(part: string): boolean {
  const name = folded(part).replace(/[. ]+$/, '')
  return name === '.git' || name === '.stagecraft' || /^git~\d+$/.test(name)
}

function folded(path: string): string {
  return path
    .replace(/\p{Cf}/gu, '')
    .normalize('NFKC')
    .toLowerCase()
}

/** Relative, and below the project's folder without a detour: `a/../..` leads elsewhere when `a` is a link. */
function leadsInside(path: string, target: string): boolean {
  if (target === '' || target.length > longestPath || /[\p{Cc}\\]/u.test(target) || /^([A-Za-z]:|\/)/.test(target)) return false
  if (/[^./][^/]*\/+\.\.(\/|$)/.test(target)) return false
  const end = posix.normalize(posix.join(posix.dirname(path), target)).replace(/\/$/, '')
  return end === '.' || isSafePath(end)
}

/** Folders a path lies in. */
function ancestors(path: string): readonly string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

function isFile(value: unknown): boolean {
  if (!isObject(value) || !isDigest(value['digest']) || typeof value['executable'] !== 'boolean') return false
  const { mode } = value
  if (!Object.keys(value).every((key) => key === 'digest' || key === 'executable' || key === 'mode')) return false
  return mode === undefined || (typeof mode === 'number' && Number.isInteger(mode) && mode >= 0 && mode <= 0o777)
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isDigest = (value: unknown): boolean => isText(value) && /^[0-9a-f]{64}$/.test(value)

/** Finite and not so deep that walking it would exhaust the stack. A loop, for the same reason. */
function isPlain(value: unknown): boolean {
  let level: readonly unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepestValue) return false
    if (level.some((one) => typeof one === 'number' && !Number.isFinite(one))) return false
    const objects = level.filter((one) => typeof one === 'object' && one !== null)
    if (objects.some((one) => Object.hasOwn(one, '__proto__'))) return false
    level = objects.flatMap((one) => Object.values(one))
  }
  return true
}

const shown = (path: string): string => JSON.stringify(path.length > 80 ? `${path.slice(0, 79)}…` : path)
