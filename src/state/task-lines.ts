/**
 * What a certificate says of each task, a line of text for each:
 *
 *     id  fingerprint  digest of its result  rows
 *
 * with tabs between. `rows` are those of the certificate that it rests on, as `12-17 3`. A task that nobody can vouch for has neither fingerprint nor rows.
 */
import type { Digest, Fingerprint, TaskId } from '../../graph/types.ts'

export interface CertifiedTask {
  /** Under which its result is kept; undefined when nobody can vouch for it. */
  readonly fingerprint: Fingerprint | undefined
  readonly resultDigest: Digest
  readonly rows: readonly number[]
}

export function parseTaskLines(text: string): ReadonlyMap<TaskId, CertifiedTask> {
  const tasks = new Map<TaskId, CertifiedTask>()
  for (const line of text === '' ? [] : text.split('\n')) {
    const [id = '', key = '', resultDigest = '', rows = ''] = line.split('\t')
    const fingerprint = key === '' ? undefined : (key as Fingerprint)
    tasks.set(id as TaskId, { fingerprint, resultDigest: resultDigest as Digest, rows: parseRows(rows) })
  }
  return tasks
}

export function taskLine(id: TaskId, { fingerprint = '' as Fingerprint, resultDigest, rows }: CertifiedTask): string {
  return `${id}\t${fingerprint}\t${resultDigest}\t${renderRows(rows)}`
}

function parseRows(text: string): readonly number[] {
  const rows: number[] = []
  for (const range of text === '' ? [] : text.split(' ')) {
    const [first = '', last = first] = range.split('-')
    for (let row = Number(first); row <= Number(last); row++) rows.push(row)
  }
  return rows
}

function renderRows(rows: readonly number[]): string {
  const ranges: string[] = []
  for (let at = 0; at < rows.length; at++) {
    const first = rows[at] as number
    while (rows[at + 1] === (rows[at] as number) + 1) at++
    ranges.push(rows[at] === first ? `${first}` : `${first}-${rows[at]}`)
  }
  return ranges.join(' ')
}
