/**
 * What one checkout knows of its last runs: files and their states, which files globs matched, and what each task was made from and made. One file, read
 * and written whole, so that a run that changes little reads little else. Losing it costs time; believing it costs nothing, as every row is
 * compared with the world before it is used.
 */
import { readFileSync } from 'node:fs'
import { isObject } from '../../cache/foreign.ts'
import { replaceFile } from '../../cache/replace-file.ts'
import { digestOfResult, fingerprint, knownFingerprint, knownResultDigest } from '../../graph/fingerprint.ts'
import type { Action, ActionResult, Digest, Fingerprint, TaskId } from '../../graph/types.ts'
import { FileTable } from './file-table.ts'
import { decodeFrame, encodeFrame, type Frame } from './frame.ts'
import { lookAt } from './stamp.ts'

/** Raised with the meaning of what is below; eight bytes. */
const mark = 'SCstate2'
/** How often files that no run looked at are searched for those that are gone. */
const sweepEveryMs = 24 * 3600_000

/**
 * The tasks of the last runs are lines of text, of which most are only compared and written again:
 *
 *     id  fingerprint  digest of the result  result  action
 *
 * with tabs between. No member can hold a tab or a line break: ids have no white space, and JSON writes both as escapes.
 */
interface Line {
  readonly fingerprint: Fingerprint
  /** Empty, like the result, for a task whose result may not be used again. */
  readonly resultDigest: string
  readonly result: string
  readonly action: string
}

interface Head {
  readonly paths: readonly string[]
  readonly states: readonly string[]
  readonly globs: unknown
  readonly tools: unknown
  readonly sweptMs: number
}

export class RunState {
  readonly files: FileTable
  /** What globs matched, as `Listings` keeps it, and what tools said. */
  globs: unknown
  tools: unknown
  readonly #path: string
  readonly #sweptMs: number
  readonly #lines: ReadonlyMap<TaskId, string>
  readonly #results = new Map<Fingerprint, ActionResult>()
  #idsByFingerprint: ReadonlyMap<Fingerprint, TaskId> | undefined
  readonly #actions = new Map<TaskId, Action>()
  readonly #texts = new WeakMap<Action, string>()
  #isChanged = false

  /** @param path of the file; what cannot be read as a state counts as none. */
  constructor(path: string) {
    this.#path = path
    const frame = readFrame(path)
    const head = (frame?.value ?? {}) as Partial<Head>
    this.files = frame ? new FileTable({ paths: head.paths ?? [], states: head.states ?? [], stamps: frame.numbers }) : new FileTable()
    this.globs = head.globs
    this.tools = head.tools
    this.#sweptMs = head.sweptMs ?? Date.now()
    this.#lines = linesOf(frame?.text ?? '')
  }

  /** The result that a task of this fingerprint had in the last run of it, or in this one. */
  result(key: Fingerprint): ActionResult | undefined {
    const known = this.#results.get(key)
    if (known) return known
    const line = this.#lineOf(key)
    if (line === undefined || line.result === '') return undefined
    const result = JSON.parse(line.result) as ActionResult
    knownResultDigest(result, line.resultDigest as Digest)
    this.#results.set(key, result)
    return result
  }

  /** Is this what a task last made, from what this fingerprint stands for? Then {@link result} has it. */
  isKept(id: TaskId, key: Fingerprint, digest: Digest): boolean {
    return this.#lines.get(id)?.startsWith(`${id}\t${key}\t${digest}\t`) ?? false
  }

  /** Call only for results that may be used again. */
  keep(key: Fingerprint, result: ActionResult): void {
    if (this.#results.get(key) !== result) this.#isChanged = true
    this.#results.set(key, result)
  }

  /** An action made the same way as the last one of its task reads the same: then its fingerprint need not be computed. */
  recognise(id: TaskId, action: Action): void {
    const text = JSON.stringify(action)
    this.#texts.set(action, text)
    const line = this.#lines.get(id)
    if (line?.endsWith(`\t${text}`)) knownFingerprint(action, parseLine(line).fingerprint)
  }

  /** What a task was made from when it last ended well. */
  lastAction(id: TaskId): Action | undefined {
    const line = this.#actions.has(id) ? undefined : this.#lines.get(id)
    return line === undefined ? this.#actions.get(id) : (JSON.parse(parseLine(line).action) as Action)
  }

  /** In this run. */
  recordedAction(id: TaskId): Action | undefined {
    return this.#actions.get(id)
  }

  record(id: TaskId, action: Action): void {
    this.#actions.set(id, action)
    if (!this.#lines.get(id)?.startsWith(`${id}\t${fingerprint(action)}\t`)) this.#isChanged = true
  }

  /** What else than files and tasks was learned. */
  changed(): void {
    this.#isChanged = true
  }

  /** Written only when something changed; of two processes the last wins, which costs the other's a second reading. */
  save(resolve: (path: string) => string): void {
    if (!this.#isChanged && !this.files.isChanged) return
    const isDue = Date.now() - this.#sweptMs > sweepEveryMs
    const rows = isDue ? this.files.rowsWorthKeeping((path) => exists(resolve(path))) : this.files.rows()
    const head: Head = {
      paths: rows.paths,
      states: rows.states,
      globs: this.globs ?? null,
      tools: this.tools ?? null,
      sweptMs: isDue ? Date.now() : this.#sweptMs,
    }
    replaceFile(this.#path, encodeFrame(mark, { value: head, text: this.#text(), numbers: rows.stamps }))
  }

  #lineOf(key: Fingerprint): Line | undefined {
    this.#idsByFingerprint ??= new Map([...this.#lines].map(([id, line]) => [line.split('\t', 2)[1] as Fingerprint, id]))
    const id = this.#idsByFingerprint.get(key)
    const line = id === undefined ? undefined : this.#lines.get(id)
    return line === undefined ? undefined : parseLine(line)
  }

  #text(): string {
    const lines: string[] = []
    for (const [id, line] of this.#lines) if (!this.#actions.has(id)) lines.push(line)
    for (const [id, action] of this.#actions) lines.push(this.#lineFor(id, action))
    return lines.join('\n')
  }

  #lineFor(id: TaskId, action: Action): string {
    const key = fingerprint(action)
    const text = this.#texts.get(action) ?? JSON.stringify(action)
    const known = this.#results.get(key)
    const { resultDigest, result } = known
      ? { resultDigest: digestOfResult(known), result: JSON.stringify(known) }
      : (this.#lineOf(key) ?? { resultDigest: '', result: '' })
    return `${id}\t${key}\t${resultDigest}\t${result}\t${text}`
  }
}

function parseLine(line: string): Line {
  const [, key = '', resultDigest = '', result = '', action = ''] = line.split('\t')
  return { fingerprint: key as Fingerprint, resultDigest, result, action }
}

function linesOf(text: string): ReadonlyMap<TaskId, string> {
  const lines = new Map<TaskId, string>()
  for (const line of text === '' ? [] : text.split('\n')) lines.set(line.slice(0, line.indexOf('\t')) as TaskId, line)
  return lines
}

function readFrame(path: string): Frame | undefined {
  try {
    const frame = decodeFrame(mark, readFileSync(path))
    return frame && isObject(frame.value) ? frame : undefined
  } catch {
    // No state, or one we may not read: everything is looked at instead.
    return undefined
  }
}

function exists(path: string): boolean {
  try {
    return lookAt(path) !== undefined
  } catch {
    return true
  }
}
