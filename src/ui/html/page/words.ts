/** How things are said on the page. */
import type { PagePart, PageState, PageTask, PageTiming } from '../page-data.ts'

export const stateWords: Readonly<Record<PageState, string>> = {
  fresh: 'up to date',
  run: 'would run',
  'may-run': 'may run',
  unknown: 'unknown',
}

/** A sign for each state: colour is never the only one. */
export const stateSigns: Readonly<Record<PageState | 'none', string>> = { fresh: '✓', run: '▶', 'may-run': '◌', unknown: '?', none: '•' }

const parts: Readonly<Record<PagePart, readonly [one: string, many: string]>> = {
  file: ['file', 'files'],
  need: ['result of a need', 'results of needs'],
  env: ['variable', 'variables'],
  secret: ['secret', 'secrets'],
  params: ['setting', 'settings'],
  kind: ['the kind itself', 'the kind itself'],
}

export function partWords(part: PagePart, count: number): string {
  return `${countText(count)} ${parts[part][count === 1 ? 0 : 1]}`
}

export function tasksText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'task' : 'tasks'}`
}

/** `12345` as `12,345`, whatever the browser's language is: the page is the same for everybody. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `42 ms`, `3.2 s`, `1 min 4 s`, `2 h 5 min` */
export function durationText(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `2026-11-23 10:52 UTC` of an ISO time. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

export const outcomeWords: Readonly<Record<PageTiming['status'], string>> = {
  ran: 'ran',
  skipped: 'was up to date',
  failed: 'failed',
  canceled: 'was not run',
}

/** The second line of a box. */
export function boxText({ state, kind, timing }: PageTask): string {
  const words = [timing?.status === 'failed' ? 'failed' : state === null ? kind : stateWords[state]]
  if (timing?.ranMs != null) words.push(durationText(timing.ranMs))
  return words.join(' · ')
}

/** The user may write a task of theirs by its bare name, so that is what they look for. */
export function shortId({ id, kind }: PageTask): string {
  return kind === 'exec' ? id.slice('exec:'.length) : id
}

/** A text that fits into a width, in characters of equal width. */
export function cut(text: string, width: number, perCharacter: number): string {
  const most = Math.max(3, Math.floor(width / perCharacter))
  return text.length <= most ? text : `${text.slice(0, Math.ceil(most * 0.6) - 1)}…${text.slice(text.length - Math.floor(most * 0.4))}`
}
