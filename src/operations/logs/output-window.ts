/** Which lines are wanted: `--tail`, `--since` and `--grep`. Pure. */
import type { Checked, Diagnostic } from '../../../graph/types.ts'
import type { OutputRequest } from '../../../tasks/ports.ts'
import { parseDuration } from '../../config/duration.ts'

export interface OutputWindow {
  readonly request: Pick<OutputRequest, 'tail' | 'since'>
  /** Of a line as it is shown, without styles. */
  matches(text: string): boolean
}

export interface WindowWords {
  readonly tail?: string | undefined
  readonly since?: string | undefined
  readonly grep?: string | undefined
}

/** Lines of each container, when nobody says how many. */
const usualTail = 100
/** Of these, those that match are shown. */
const usualTailToSearch = 10_000

/** Without `--tail`: the last 100 lines of each container, 10 000 to search in, and all of them with `--since`. */
export function outputWindow({ tail, since, grep }: WindowWords, now: Date): Checked<OutputWindow> {
  const diagnostics: Diagnostic[] = []
  const lines = tail === undefined ? undefined : tailOf(tail)
  if (lines === null) diagnostics.push(refused(`\`--tail\` takes a number of lines or \`all\`, not \`${tail}\``))
  const moment = since === undefined ? undefined : momentOf(since, now)
  if (moment === null)
    diagnostics.push(
      refused(`\`--since\` takes a duration such as \`10m\` or \`2h30m\`, or a time such as \`2026-01-31T08:30Z\`, not \`${since}\``),
    )
  const matches = grep === undefined ? () => true : matcher(grep)
  if (typeof matches === 'string') diagnostics.push(refused(`\`--grep ${grep}\` is not a regular expression: ${matches}`))
  if (diagnostics.length > 0 || lines === null || moment === null || typeof matches === 'string') return { ok: false, diagnostics }
  const usual = since === undefined ? (grep === undefined ? usualTail : usualTailToSearch) : undefined
  const wanted = lines === 'all' ? undefined : (lines ?? usual)
  return {
    ok: true,
    value: { request: { ...(wanted === undefined ? {} : { tail: wanted }), ...(moment === undefined ? {} : { since: moment }) }, matches },
  }
}

function tailOf(text: string): number | 'all' | null {
  if (text === 'all') return 'all'
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}

/** Seconds since 1970, as the Engine takes them; null for what is no time. */
function momentOf(text: string, now: Date): string | null {
  const ageSeconds = parseDuration(text)
  if (ageSeconds !== undefined) return (now.getTime() / 1000 - ageSeconds).toFixed(3)
  // Dates only in the order in which they sort: others mean different days to different people.
  if (!/^\d{4}-\d\d-\d\d/.test(text)) return null
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) ? null : (timeMs / 1000).toFixed(3)
}

/** `/expression/flags`, or text that is looked for in any case. @returns what is wrong with it, as text. */
function matcher(pattern: string): ((text: string) => boolean) | string {
  const [, source, flags] = /^\/(.+)\/([a-z]*)$/.exec(pattern) ?? []
  if (source === undefined) {
    const wanted = pattern.toLowerCase()
    return (text) => text.toLowerCase().includes(wanted)
  }
  try {
    // `g` and `y` make an expression remember where it was.
    const expression = new RegExp(source, (flags ?? '').replace(/[gy]/g, ''))
    return (text) => expression.test(text)
  } catch (error) {
    return (error as Error).message
  }
}

/** The moment of a line as `since` takes it: nothing is lost between two requests, and what was read already can be told by its time. */
export function sinceOf(at: string): string {
  const [, second, fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(at) ?? []
  return `${Date.parse(`${second}Z`) / 1000}.${fraction.padEnd(9, '0')}`
}

function refused(message: string): Diagnostic {
  return { code: 'SC3004', severity: 'error', message }
}
