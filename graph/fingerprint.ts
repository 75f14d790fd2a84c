import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'
import type { Action, ActionResult, Digest, Fingerprint, Json } from './types.ts'

/** Raised when the composition of a fingerprint changes, so that no old cache entry can be mistaken for a new one. */
const scheme = 1
/** Actions and results do not change once made, and are asked about by everything that depends on them. */
const fingerprints = new WeakMap<Action, Fingerprint>()
const resultDigests = new WeakMap<ActionResult, Digest>()

/** Hex SHA-256 of bytes or of UTF-8 text. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return hash('sha256', bytes, 'hex') as Digest
}

/** Digest of a value, whatever the order of its keys. */
export function digestOfJson(value: Json): Digest {
  return digestOf(canonicalJson(value))
}

/** The action cache's key for an action (REAPI: action digest). Every field changes it; key order and time do not. */
export function fingerprint(action: Action): Fingerprint {
  const known = fingerprints.get(action)
  if (known !== undefined) return known
  const made = digestOfJson({ scheme, ...action }) as string as Fingerprint
  fingerprints.set(action, made)
  return made
}

/** Spares {@link fingerprint} the work for an action whose text is that of one it has seen. */
export function knownFingerprint(action: Action, known: Fingerprint): void {
  fingerprints.set(action, known)
}

/** Spares {@link digestOfResult} the work for a result that was kept with its digest. */
export function knownResultDigest(result: ActionResult, known: Digest): void {
  resultDigests.set(result, known)
}

/** Digest of a whole result: what enters a dependent's action unless its kind selects less. Logs and permission bits are left out. */
export function digestOfResult(result: ActionResult): Digest {
  const known = resultDigests.get(result)
  if (known !== undefined) return known
  const { files, links, folders, values } = result
  const contents = Object.fromEntries(Object.entries(files).map(([path, { digest, executable }]) => [path, { digest, executable }]))
  const made = digestOfJson({ files: contents, ...(links && { links }), ...(folders && { folders }), values })
  resultDigests.set(result, made)
  return made
}
