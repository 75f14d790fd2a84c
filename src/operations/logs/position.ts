/** How far each container's output was read, so that reading can go on exactly there. */
import type { OutputLine, OutputRequest } from '../../../tasks/ports.ts'
import { sinceOf } from './output-window.ts'

export interface Position {
  /** Time of the last line that was read. */
  readonly at: string
  /** How many lines of that very time were read. */
  readonly lines: number
}

export function advanced(position: Position | undefined, { at }: Pick<OutputLine, 'at'>): Position {
  return position?.at === at ? { at, lines: position.lines + 1 } : { at, lines: 1 }
}

/** What is to be asked for to go on from a position; from the first line that was asked for when nothing was read yet. */
export function onwards(position: Position | undefined, first: Pick<OutputRequest, 'tail' | 'since'>): OutputRequest {
  return position === undefined ? { ...first, follow: true } : { since: sinceOf(position.at), follow: true }
}

/** Tells which lines of an answer to {@link onwards} were read before. */
export function unread(position: Position | undefined): (line: Pick<OutputLine, 'at'>) => boolean {
  let left = position?.lines ?? 0
  return ({ at }) => {
    if (position === undefined || at > position.at) return true
    if (at === position.at && left > 0) {
      left--
      return false
    }
    return at === position.at
  }
}
