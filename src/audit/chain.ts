/**
 * The lines of an audit: who did what when, one JSON object a line. Each carries the SHA-256 of the line before it, and a head beside the
 * file says how long it was and how it ended when it was last written. So a line that is edited, taken out or put in is found, and so is an
 * end that was cut off. Whoever may write both file and head can still forge the whole: it tells of mistakes and of hands, not of root. Pure.
 */
import { createHash } from 'node:crypto'
import type { Grown } from '../hosts/append-only.ts'

/** What a command tells of what it did. */
export interface AuditEntry {
  /** `deploy`, `rollback`, `unlock`, `restart web`, … */
  readonly what: string
  readonly result: 'begun' | 'done' | 'failed' | 'partial' | 'interrupted'
  /** Id of the release it made. */
  readonly release?: string
  readonly version?: string
  /** Anything else worth a few words. */
  readonly detail?: string
}

export interface AuditLine extends AuditEntry {
  /** Counts from 1, lines that are lost included. */
  readonly n: number
  /** ISO 8601, by the host's clock. */
  readonly at: string
  readonly who: Actor
  /** SHA-256 of the line before, hex, without its line feed; zeros in the first. */
  readonly prev: string
}

export interface Actor {
  readonly user: string
  readonly machine: string
  /** Where the CI run can be looked at. */
  readonly ci?: string
}

export interface AuditReport {
  /** Those that can be read, oldest first. */
  readonly lines: readonly AuditLine[]
  /** The first place that does not fit, counted in lines of the file from 1. */
  readonly broken?: { readonly line: number; readonly why: string }
}

interface Head {
  readonly n: number
  readonly hash: string
  readonly sizeBytes: number
}

const nothing = '0'.repeat(64)

/**
 * The line to append, and the head that goes with it. What is there is never mended: where the file is shorter than its head says, the line
 * follows the one that is lost, and the gap stays to be seen.
 */
export function nextLine(
  entry: AuditEntry,
  who: Actor,
  now: Grown,
): { readonly bytes: Uint8Array; readonly head: (sizeBytes: number) => string } {
  const head = parseHead(now.head)
  const tail = Buffer.from(now.tail).toString('utf8')
  const isTorn = tail !== '' && !tail.endsWith('\n')
  const { n, hash } = head && now.sizeBytes <= head.sizeBytes ? head : lastOf(tail, head)
  const at = new Date(now.nowSeconds * 1000).toISOString().replace('.000Z', 'Z')
  const line: AuditLine = { n: n + 1, at, who, ...entry, prev: hash }
  const text = JSON.stringify(line)
  // A line that broke off keeps to itself.
  const bytes = Buffer.from(`${isTorn ? '\n' : ''}${text}\n`)
  return { bytes, head: (sizeBytes) => `${line.n} ${hashOf(text)} ${sizeBytes}` }
}

/** Reads a file and says whether it is whole. */
export function verifyAudit(bytes: Uint8Array | undefined, headText: string | undefined): AuditReport {
  const texts = linesOf(bytes)
  const head = parseHead(headText)
  const lines: AuditLine[] = []
  const faults: { line: number; why: string }[] = []
  let before = nothing
  let sizeBytes = 0
  let atHead: { line: number; hash: string } | undefined
  for (const [index, text] of texts.entries()) {
    const line = index + 1
    const parsed = parseLine(text)
    if (parsed === undefined) faults.push({ line, why: 'it is no line of an audit, or only a part of one' })
    else {
      lines.push(parsed)
      if (parsed.prev !== before) faults.push({ line, why: misfit(line) })
    }
    before = hashOf(text)
    sizeBytes += Buffer.byteLength(text) + 1
    if (sizeBytes === head?.sizeBytes) atHead = { line, hash: before }
  }
  if (head && sizeBytes < head.sizeBytes) {
    faults.push({ line: texts.length + 1, why: `the file ends early: the last line written was number ${head.n}` })
  } else if (head && atHead?.hash !== head.hash) {
    faults.push({ line: atHead?.line ?? texts.length, why: `it is not what was written as number ${head.n}` })
  } else if (!head && headText !== undefined) faults.push({ line: 1, why: 'what the head says cannot be read' })
  const [broken] = faults.sort((a, b) => a.line - b.line)
  return { lines, ...(broken ? { broken } : {}) }
}

function misfit(line: number): string {
  if (line === 1) return 'lines before it are gone'
  return `it does not follow line ${line - 1}: one of the two was edited, or lines between them came or went`
}

/** For a file that grew after its head was written, or has none: somebody was stopped in between. */
function lastOf(tail: string, head: Head | undefined): { n: number; hash: string } {
  const text = tail.replace(/\n$/, '').split('\n').at(-1) ?? ''
  if (text === '') return { n: 0, hash: nothing }
  return { n: parseLine(text)?.n ?? (head?.n ?? 0) + 1, hash: hashOf(text) }
}

function linesOf(bytes: Uint8Array | undefined): readonly string[] {
  const text = Buffer.from(bytes ?? []).toString('utf8')
  return text === '' ? [] : text.replace(/\n$/, '').split('\n')
}

function parseHead(text: string | undefined): Head | undefined {
  const [, n, hash, sizeBytes] = /^(\d{1,15}) ([0-9a-f]{64}) (\d{1,15})$/.exec(text ?? '') ?? []
  return hash === undefined ? undefined : { n: Number(n), hash, sizeBytes: Number(sizeBytes) }
}

function parseLine(text: string): AuditLine | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isLine(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isLine(value: unknown): value is AuditLine {
  if (typeof value !== 'object' || value === null) return false
  const { n, at, who, what, result, prev } = value as Record<string, unknown>
  const isActor = typeof who === 'object' && who !== null && 'user' in who && 'machine' in who
  return Number.isSafeInteger(n) && isActor && [at, what, result, prev].every((field) => typeof field === 'string')
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
