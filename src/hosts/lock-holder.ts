/** What a lock says of its holder: JSON in the target of a symbolic link, which is made with its content in one step. Pure. */
import type { LockHolder } from '../../tasks/ports.ts'

export interface LockContent extends LockHolder {
  /** See `processSpace`. */
  readonly machine: string
  readonly pid: number
  /** ISO 8601, by the holder's clock: for people only. */
  readonly startedAt: string
}

/** XFS holds 1023 bytes in a link. */
const maxBytes = 1_000

export function renderLock(content: LockContent): string {
  const whole = JSON.stringify(content)
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  const room = maxBytes - Buffer.byteLength(JSON.stringify({ ...content, description: '' }))
  // A character takes up to 6 bytes in JSON.
  return JSON.stringify({ ...content, description: content.description.slice(0, Math.max(0, Math.floor(room / 6))) })
}

/** A link that is not ours to read still holds the lock: it gets an owner nobody has. */
export function parseLock(target: string): LockContent {
  const unknown = { owner: '', fence: 0, description: `unknown (${target.slice(0, 80)})`, machine: '', pid: 0, startedAt: '' }
  try {
    const found: unknown = JSON.parse(target)
    return isContent(found) ? found : unknown
  } catch {
    return unknown
  }
}

/** One who comes back after a take-over has the same owner and not the same fence. */
export function sameHolder(a: LockHolder, b: LockHolder): boolean {
  return a.owner === b.owner && a.fence === b.fence
}

function isContent(value: unknown): value is LockContent {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  const texts = ['owner', 'description', 'machine', 'startedAt'].every((name) => typeof fields[name] === 'string')
  return texts && Number.isSafeInteger(fields['fence']) && Number.isSafeInteger(fields['pid']) && isOwnerName(String(fields['owner']))
}

/** Owners are parts of file names. */
export function isOwnerName(owner: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(owner)
}

/** What is known of a holder's signs of life; times in seconds, all by the host's clock. */
export interface SignsOfLife {
  readonly now: number
  /** When its beat file was last written; undefined when there is none. */
  readonly beat: number | undefined
  /** When the lock itself was made; undefined when it is gone. */
  readonly made: number | undefined
}

/** Seconds since the last sign of life. */
export function silence(signs: SignsOfLife): number {
  return signs.now - (signs.beat ?? signs.made ?? signs.now)
}
