/** What a journal comes to. Any beginning of one is a journal too: a run may have been cut off after every byte. Pure. */
import type { HostPicture } from '../../tasks/ports.ts'
import { type JournalLine, parseLine, type TaskLine } from './line.ts'

/** A run that began and did not say how it ended. */
export interface OpenRun {
  readonly run: string
  readonly at: string
  readonly who: string
  readonly what: string
  readonly version?: string
  readonly release?: string
  /** The last thing it told. */
  readonly last?: Pick<TaskLine, 'task' | 'did' | 'n'>
}

export interface JournalState {
  /** Unless its lock is still held by a living one, it was killed. */
  readonly open?: OpenRun
  /** As the host was before the first run since it was last settled. */
  readonly before?: { readonly base: string; readonly picture: HostPicture }
}

export interface Damage {
  /** Counted from 1. */
  readonly line: number
  readonly why: string
}

export type Replayed = { readonly ok: true; readonly state: JournalState } | { readonly ok: false; readonly damage: Damage }

/** A journal that anybody has been at is not trusted in any part. */
export function replay(bytes: Uint8Array | undefined): Replayed {
  const texts = Buffer.from(bytes ?? [])
    .toString('utf8')
    .split('\n')
  let state: JournalState = {}
  let current: string | undefined
  for (const [index, text] of texts.entries()) {
    if (text === '') continue
    const parsed = parseLine(text)
    if (parsed.kind === 'bad') return { ok: false, damage: { line: index + 1, why: parsed.why } }
    if (parsed.kind === 'torn') continue
    const { line } = parsed
    if (line.event === 'begun') current = line.run
    // One that woke up after another took over has nothing to say any more.
    if (line.run === current) state = after(state, line)
  }
  return { ok: true, state }
}

function after(state: JournalState, line: JournalLine): JournalState {
  const { open, ...settled } = state
  switch (line.event) {
    case 'begun': {
      const { run, at, who, what, version, base, before } = line
      const begun = { run, at, who, what, ...(version === undefined ? {} : { version }) }
      // A release was finished since by somebody who kept no journal: what was before that is nobody's wish any more.
      const isKnown = state.before?.base === base
      return { open: begun, before: isKnown ? state.before : { base, picture: before } }
    }
    case 'task':
      return open ? { ...state, open: { ...open, last: { task: line.task, did: line.did, n: line.n } } } : state
    case 'release':
      return open ? { ...state, open: { ...open, release: line.release } } : state
    case 'commit':
      return open ? { open } : {}
    case 'ended':
      return line.settled ? {} : settled
  }
}

/** The one that began last, with what was told last on any host. */
export function latestRun(states: readonly JournalState[]): OpenRun | undefined {
  const open = states.flatMap((state) => state.open ?? [])
  const [latest] = [...open].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
  if (latest === undefined) return undefined
  const same = open.filter(({ run }) => run === latest.run)
  const last = same.flatMap((one) => one.last ?? []).sort((a, b) => b.n - a.n)[0]
  const release = same.find((one) => one.release !== undefined)?.release
  return { ...latest, ...(last ? { last } : {}), ...(release === undefined ? {} : { release }) }
}
