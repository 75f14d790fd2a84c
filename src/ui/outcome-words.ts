/** What became of a task, in the words of every view. */
import type { Outcome } from '../../graph/types.ts'

/** `local` and `remote`: its outputs were put back from that cache. `fresh`: nothing had to be done. */
export type Fate = 'ran' | 'fresh' | 'local' | 'remote' | 'unneeded' | 'failed' | 'canceled'

export function fateOf(outcome: Outcome): Fate {
  if (outcome.status !== 'skipped') return outcome.status
  if (outcome.how === 'unneeded') return 'unneeded'
  if (outcome.how !== 'restored') return 'fresh'
  return outcome.from === 'remote' ? 'remote' : 'local'
}

/** Why a task did not run: completes its name. */
export function skipWords(outcome: Extract<Outcome, { status: 'skipped' }>): string {
  switch (fateOf(outcome)) {
    case 'local':
      return `restored from the local cache${parenthesis(outcome.detail)}`
    case 'remote':
      return `restored from the remote cache${parenthesis(outcome.detail)}`
    case 'unneeded':
      return outcome.detail ?? 'not needed'
    default:
      return outcome.detail === undefined || outcome.detail === 'up to date' ? 'up to date' : `up to date: ${outcome.detail}`
  }
}

function parenthesis(detail: string | undefined): string {
  const files = detail?.replace(/ restored$/, '')
  return files === undefined ? '' : ` (${files === '1 files' ? '1 file' : files})`
}
