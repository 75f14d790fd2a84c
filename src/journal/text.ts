/** Words for what a journal says. Pure. */
import type { TaskId } from '../../graph/types.ts'
import { printable } from '../ui/table.ts'
import { shortName } from '../ui/task-name.ts'
import { journalFile } from './line.ts'
import type { Damage, OpenRun } from './replay.ts'

/** `the deploy of anna@laptop at 2026-11-23 17:20:11 UTC ended at rollout:web@node-2`. */
export function endedText({ who, at, what, last }: OpenRun): string {
  const time = `${at.slice(0, 19).replace('T', ' ')} UTC`
  return printable(`the ${what} of ${who} at ${time} ended ${last === undefined ? 'before it changed anything' : placeOf(last)}`)
}

function placeOf({ task, did }: NonNullable<OpenRun['last']>): string {
  const name = shortName(task as TaskId)
  if (did === 'begin') return `at ${name}`
  if (did === 'undo') return `while it took back ${name}`
  if (did === 'done') return `after ${name}`
  return did === 'failed' ? `after ${name} had failed` : `after it had ${did === 'undone' ? '' : 'not '}taken back ${name}`
}

export function damageText(host: string, directory: string, { line, why }: Damage): string {
  const aside = 'what runs before left unfinished there is not known, and is not taken back'
  return `${host}:${directory}/${journalFile} cannot be read: line ${line}: ${why}; ${aside}`
}
