/** What became of a task, in the words of every view. */
import type { Outcome } from '../../graph/types.ts'
import { renderCount } from './size.ts'

/** `local` and `remote`: its outputs were put back from that cache. `fresh`: nothing had to be done. */
export type Fate = 'ran' | 'fresh' | 'local' | 'remote' | 'unneeded' | 'failed' | 'canceled'

export function fateOf(outcome: Outcome): Fate {
  if (outcome.status !== 'skipped') return outcome.status
  if (outcome.how === 'not-needed') return 'unneeded'
  return outcome.how === 'restored' && outcome.from !== 'target' ? outcome.from : 'fresh'
}

/** Why a task did not run: completes its name. */
export function skipWords(outcome: Extract<Outcome, { status: 'skipped' }>): string {
  switch (fateOf(outcome)) {
    case 'local':
      return `restored from the local cache${filesText(outcome.restoredFiles)}`
    case 'remote':
      return `restored from the remote cache${filesText(outcome.restoredFiles)}`
    case 'unneeded':
      return outcome.detail ?? 'not needed'
    default:
      return outcome.detail === undefined || outcome.detail === 'up to date' ? 'up to date' : `up to date: ${outcome.detail}`
  }
}

function filesText(count: number | undefined): string {
  return count === undefined ? '' : ` (${renderCount(count, 'file')})`
}
