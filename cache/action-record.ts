import type { ActionResult, Digest, Fingerprint } from '../graph/types.ts'
import { isObject, parseObject } from './foreign.ts'

/** A result as it is stored. It names its key, so no two are equal and a copy under another key is found out. */
export interface ActionRecord {
  readonly schema: 1
  readonly fingerprint: Fingerprint
  readonly result: ActionResult
  /** Bytes of every blob the result names: a cut-off blob is noticed without reading it. */
  readonly sizes: Readonly<Record<Digest, number>>
}

/** Digests a result names, each once. */
export function blobsOf(result: ActionResult): readonly Digest[] {
  return [...new Set(Object.values(result.files).map((file) => file.digest))]
}

/** A stored record, or undefined when the text is not one, is of another layout, or belongs to another key. */
export function parseRecord(text: string, key?: Fingerprint): ActionRecord | undefined {
  const record = parseObject(text)
  if (record?.['schema'] !== 1 || (key !== undefined && record['fingerprint'] !== key)) return undefined
  const { result, sizes } = record
  if (!isObject(result) || !isObject(sizes) || !isObject(result['values']) || !isObject(result['files'])) return undefined
  const filesAreSound = Object.values(result['files']).every(
    (file) =>
      isObject(file) && isDigest(file['digest']) && typeof file['executable'] === 'boolean' && typeof sizes[file['digest']] === 'number',
  )
  return filesAreSound ? (record as unknown as ActionRecord) : undefined
}

function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}
