import type { ActionResult, Digest, Fingerprint, JsonObject, OutputFile } from '../graph/types.ts'
import { isObject, parseObject } from './foreign.ts'

/** A result as it is stored. It names its key, so no two are equal and a copy under another key is found out. */
export interface ActionRecord {
  readonly schema: 1
  readonly fingerprint: Fingerprint
  readonly result: ActionResult
  /** Bytes of every blob the result names: a cut-off blob is noticed without reading it. */
  readonly sizes: Readonly<Record<Digest, number>>
}

/** Digests a result names, its log included, each once. */
export function blobsOf({ files, log }: ActionResult): readonly Digest[] {
  return [...new Set([...Object.values(files).map((file) => file.digest), ...(log === undefined ? [] : [log])])]
}

/**
 * A stored record, or undefined when the text is not one, is of another layout, or belongs to another key. It may have been written by anybody who can
 * write a shared cache, so nothing but what is known and sound gets through: no path that leaves the project, none below a file or a link.
 */
export function parseRecord(text: string, key?: Fingerprint): ActionRecord | undefined {
  const record = parseObject(text)
  if (record?.['schema'] !== 1 || (key !== undefined && record['fingerprint'] !== key)) return undefined
  const sizes = record['sizes']
  const result = soundResult(record['result'])
  if (!result || !isObject(sizes)) return undefined
  const sized = blobsOf(result).map((digest) => [digest, Object.hasOwn(sizes, digest) ? sizes[digest] : undefined] as const)
  if (!sized.every(([, size]) => Number.isSafeInteger(size) && (size as number) >= 0)) return undefined
  return {
    schema: 1,
    fingerprint: record['fingerprint'] as Fingerprint,
    result,
    sizes: Object.fromEntries(sized) as Record<Digest, number>,
  }
}

/** A result built anew from sound parts, or undefined when any part is not. */
export function soundResult(value: unknown): ActionResult | undefined {
  if (!isObject(value)) return undefined
  const { files, links = {}, folders = [], log, values } = value
  if (!isObject(files) || !isObject(links) || !Array.isArray(folders) || !isObject(values)) return undefined
  if (log !== undefined && !isDigest(log)) return undefined
  if (!Object.values(files).every(isFile) || !Object.values(links).every(isTarget)) return undefined
  if (!areSeparate([...Object.keys(files), ...Object.keys(links), ...(folders as unknown[])])) return undefined
  return {
    files: Object.fromEntries(Object.entries(files as Record<string, OutputFile>).map(([path, file]) => [path, fileOf(file)])),
    ...(value['links'] === undefined ? {} : { links: links as Record<string, string> }),
    ...(value['folders'] === undefined ? {} : { folders: folders as string[] }),
    ...(log === undefined ? {} : { log }),
    values: values as JsonObject,
  }
}

/** A path that stays where it is put: relative, `/`-separated, without empty parts, `.` and `..`. */
export function isPathBelow(path: unknown): path is string {
  if (typeof path !== 'string' || path.length > 4096 || path.includes('\0')) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** Sound paths, none twice, and none below another: what is below a link would be written wherever the link leads. */
function areSeparate(paths: readonly unknown[]): boolean {
  const all = new Set(paths)
  if (all.size !== paths.length) return false
  return paths.every((path) => {
    if (!isPathBelow(path)) return false
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) if (all.has(path.slice(0, end))) return false
    return true
  })
}

function isFile(file: unknown): file is OutputFile {
  if (!isObject(file) || !isDigest(file['digest']) || typeof file['executable'] !== 'boolean') return false
  const mode = file['mode']
  if (mode === undefined) return true
  return (
    Number.isInteger(mode) &&
    (mode as number) >= 0 &&
    (mode as number) <= 0o777 &&
    (((mode as number) & 0o100) !== 0) === file['executable']
  )
}

function fileOf({ digest, executable, mode }: OutputFile): OutputFile {
  return { digest, executable, ...(mode === undefined ? {} : { mode }) }
}

function isTarget(target: unknown): target is string {
  return typeof target === 'string' && target !== '' && !target.includes('\0')
}

function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}
