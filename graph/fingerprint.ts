import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { Action, ActionResult, Digest, Fingerprint, Json } from './types.ts'

/** Raised when the composition of a fingerprint changes, so that no old cache entry can be mistaken for a new one. */
const scheme = 1

/** Hex SHA-256 of bytes or of UTF-8 text. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest
}

/** Digest of a value, whatever the order of its keys. */
export function digestOfJson(value: Json): Digest {
  return digestOf(canonicalJson(value))
}

/** The action cache's key for an action (REAPI: action digest). Every field changes it; key order and time do not. */
export function fingerprint(action: Action): Fingerprint {
  return digestOfJson({ scheme, ...action }) as string as Fingerprint
}

/** Digest of a whole result: what enters a dependent's action unless its kind selects less. Logs and permission bits are left out. */
export function digestOfResult({ files, links, folders, values }: ActionResult): Digest {
  const contents = Object.fromEntries(Object.entries(files).map(([path, { digest, executable }]) => [path, { digest, executable }]))
  return digestOfJson({ files: contents, ...(links && { links }), ...(folders && { folders }), values })
}
