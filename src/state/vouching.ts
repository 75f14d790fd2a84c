/**
 * Spares a run the description of tasks of which nothing has changed. A certificate holds task by task: one whose rows look as they did, and whose needs
 * have the very results they had, would be described as it was, lead to the same fingerprint, and find its outputs in place.
 *
 * What was seen before the run began counts for a task only while all that it depends on was vouched for as well, and so wrote nothing. Behind anything
 * else a task is looked at when its turn comes, as any other is: a formatter rewrites what later tasks read, and so may another run that we waited for.
 */
import { digestOfResult } from '../../graph/fingerprint.ts'
import type { ActionResult, Digest, Fingerprint, Outcome, Task, TaskId } from '../../graph/types.ts'
import { type Certificate, holds, type Look, readCertificate, type Surroundings, speaksOf } from './certificate.ts'
import { takeOver } from './hand-over.ts'
import { type CertifiedTask, parseTaskLines } from './task-lines.ts'

export interface VouchingOptions {
  /** Absolute folder of the manifest. */
  readonly directory: string
  /** Of the same targets, made from the same definitions. */
  readonly certificate: Certificate
  /** Rows that looked otherwise when somebody looked at all, just now; undefined when nobody did. */
  readonly changed: ReadonlySet<number> | undefined
  readonly state: {
    isKept(id: TaskId, key: Fingerprint, digest: Digest): boolean
    result(key: Fingerprint): ActionResult | undefined
  }
}

/** @param definition what the tasks of this run are made from; undefined when nobody can tell. */
export function openVouching(
  targets: readonly string[],
  definition: string | undefined,
  surroundings: Surroundings,
  state: VouchingOptions['state'],
): Vouching | undefined {
  const { directory } = surroundings
  const look = launchersLook(targets, surroundings)
  const certificate = look?.certificate ?? readCertificate(targets, surroundings)
  if (!certificate || certificate.head.definition !== definition) return undefined
  return new Vouching({ directory, certificate, changed: look?.changed, state })
}

function launchersLook(targets: readonly string[], surroundings: Surroundings): Look | undefined {
  const look = takeOver()
  return look?.directory === surroundings.directory && speaksOf(look.certificate.head, targets, surroundings) ? look : undefined
}

export class Vouching {
  readonly certificate: Certificate
  readonly #options: VouchingOptions
  readonly #tasks: ReadonlyMap<TaskId, CertifiedTask>
  readonly #vouched = new Map<TaskId, CertifiedTask>()

  constructor(options: VouchingOptions) {
    this.certificate = options.certificate
    this.#options = options
    this.#tasks = parseTaskLines(options.certificate.lines())
  }

  /** What becomes of a task whose dependencies have ended; undefined when it has to be judged. @param resultOf of its needs. */
  outcomeOf(task: Task, resultOf: (need: TaskId) => ActionResult | undefined): Outcome | undefined {
    const certified = this.#tasks.get(task.id)
    if (certified?.fingerprint === undefined) return undefined
    const { fingerprint, resultDigest, rows } = certified
    const { state } = this.#options
    if (!task.needs.every((id) => this.#isAsItWas(id, resultOf)) || !state.isKept(task.id, fingerprint, resultDigest)) return undefined
    const nothingWasWritten = [task.needs, task.after].every((ids) => ids.every((id) => this.#vouched.has(id)))
    if (!rows.every((row) => this.#holds(row, nothingWasWritten))) return undefined
    this.#vouched.set(task.id, certified)
    return {
      status: 'skipped',
      // Most results are never asked for.
      get result() {
        const known = state.result(fingerprint)
        if (known === undefined) throw new Error(`the result of ${task.id} was kept and is not there`)
        return known
      },
      from: 'local',
      how: 'present',
    }
  }

  /** What the certificate says of a task that was vouched for in this run. */
  vouched(id: TaskId): CertifiedTask | undefined {
    return this.#vouched.get(id)
  }

  #isAsItWas(need: TaskId, resultOf: (need: TaskId) => ActionResult | undefined): boolean {
    if (this.#vouched.has(need)) return true
    const result = resultOf(need)
    return result !== undefined && this.#tasks.get(need)?.resultDigest === digestOfResult(result)
  }

  #holds(row: number, nothingWasWritten: boolean): boolean {
    const { changed, directory } = this.#options
    if (changed !== undefined && nothingWasWritten) return !changed.has(row)
    const { head, stamps } = this.certificate
    const path = head.paths[row] ?? ''
    return holds(stamps, row, path.startsWith('/') ? path : `${directory}/${path}`)
  }
}
