import { constants } from 'node:os'
import type { ProgramEnd } from '../../tasks/ports.ts'

/** How a program ended, from what Node says of its exit. */
export function programEnd(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
  return signal === null ? { code: code ?? 0 } : { code: 128 + constants.signals[signal], signal }
}
