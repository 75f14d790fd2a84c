/** An explanation as a person reads it: the verdict first, then why, then what did not change, then what is known besides. Pure. */
import type { Prediction } from '../contracts.ts'
import { renderDuration } from './duration.ts'
import { createPaint } from './paint.ts'
import { shortName, withShortNames } from './task-name.ts'

interface Explained {
  readonly id: string
  readonly title: string
  readonly freshness: string
  readonly prediction: Prediction
  readonly fingerprint?: string
  readonly ranBefore: boolean
  readonly parts: readonly Part[]
  readonly outputs: readonly { readonly path: string; readonly change: string }[]
  readonly storedIn: readonly string[]
  readonly service?: string
  readonly sparedBy: readonly string[]
  readonly lastRun?: {
    readonly status: 'ran' | 'skipped' | 'failed' | 'canceled'
    readonly durationMs: number
    readonly ranMs?: number
    readonly restored?: true
    readonly because?: string
    readonly finishedAt: string
  }
}

interface Part {
  readonly part: string
  readonly name: string
  readonly change: string
}

export interface ExplanationOptions {
  readonly color: boolean
  /** Names what did not change, too. */
  readonly verbose: boolean
}

/** How many causes are named before the rest is only counted. */
const listed = 20

/** What a person changes first comes first: files and results, then settings. */
const groups: readonly (readonly [part: string, one: string, many: string])[] = [
  ['file', 'file', 'files'],
  ['need', 'result of a need', 'results of needs'],
  ['env', 'variable', 'variables'],
  ['secret', 'secret', 'secrets'],
  ['params', 'setting', 'settings'],
]

export function renderExplanation(explained: Explained, { color, verbose }: ExplanationOptions): string {
  const paint = createPaint(color)
  const lines = [`${paint.bold(shortName(explained.id))}  ${verdict(explained.prediction)}`]
  if (explained.sparedBy.length > 0) lines.push('', sparedText(explained.sparedBy))
  const causes = causesOf(explained)
  const shown = verbose ? causes : causes.slice(0, listed)
  const width = Math.max(0, ...shown.map(({ change }) => change.length))
  if (causes.length > 0) lines.push('', causesHeading(explained))
  for (const { change, text } of shown) lines.push(`  ${paint.yellow(change.padEnd(width))}  ${text}`)
  if (causes.length > shown.length) lines.push(paint.dim(`  and ${causes.length - shown.length} more (--verbose names them)`))
  lines.push(...unchangedLines(explained, verbose).map((line) => (line === '' ? line : paint.dim(line))))
  const facts = factsOf(explained)
  const labelWidth = Math.max(...facts.map(([label]) => label.length))
  lines.push('', ...facts.map(([label, value]) => `${paint.dim(label.padEnd(labelWidth))}  ${value}`))
  return `${lines.join('\n')}\n`
}

function verdict(prediction: Prediction): string {
  switch (prediction.state) {
    case 'fresh':
      return `is up to date: ${prediction.detail}`
    case 'run':
      if (prediction.restoredFrom !== undefined) return `would not run: ${withShortNames(prediction.because.detail)}`
      if (alwaysRuns(prediction)) return prediction.because.detail.replace(/^it /, '')
      return `would run: ${withShortNames(prediction.because.detail)}`
    case 'may-run':
      return `may run: it waits for the result of ${shortName(prediction.waitsFor)}`
    case 'unknown':
      return `could not be judged: ${prediction.message}`
  }
}

function alwaysRuns(prediction: Prediction): boolean {
  return prediction.state === 'run' && prediction.because.reason === 'always'
}

/** Early cutoff, in words: what was done again, and why it went no further. */
function sparedText(ids: readonly string[]): string {
  const names = ids.map(shortName)
  const shown =
    names.length > 3
      ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
      : names.join(' and ').replace(/ and (?=.* and )/, ', ')
  return `In the last run ${shown} ran again and made the same ${ids.length === 1 ? 'result' : 'results'}, so nothing changed for this task.`
}

function causesOf({ parts, outputs }: Explained): readonly { readonly change: string; readonly text: string }[] {
  const order = ['kind', ...groups.map(([part]) => part)]
  const changed = parts.filter(({ change }) => change !== 'same').sort((a, b) => order.indexOf(a.part) - order.indexOf(b.part))
  return [
    ...changed.map((part) => ({ change: part.change, text: partText(part) })),
    ...outputs.map(({ path, change }) => ({ change, text: `output ${path}` })),
  ]
}

/** What did not bring the verdict about is not called its cause. */
function causesHeading({ prediction, parts }: Explained): string {
  if (prediction.state !== 'run' || alwaysRuns(prediction)) return 'changed since it last finished here:'
  return parts.some(({ change }) => change !== 'same') ? 'because, since it last finished here:' : 'because:'
}

function partText({ part, name }: Part): string {
  if (part === 'kind') return `how \`${name}\` tasks work in this version of stagecraft`
  if (part === 'need') return `result of ${shortName(name)}`
  const word = groups.find(([known]) => known === part)?.[1] ?? part
  return name === '' ? 'its settings' : `${word} ${name}`
}

function unchangedLines({ parts, ranBefore, prediction }: Explained, verbose: boolean): string[] {
  const same = groups.flatMap(([part, one, many]) => {
    const names = parts.filter((each) => each.part === part && each.change === 'same').map(({ name }) => shortName(name))
    return names.length === 0 ? [] : [{ names, words: `${names.length} ${names.length === 1 ? one : many}` }]
  })
  if (parts.length === 0) return prediction.state === 'unknown' ? [] : ['', 'what it is made from is not known before that']
  const intro = ranBefore ? [''] : ['', 'it never finished in this checkout, so there is nothing to compare with']
  const heading = ranBefore ? 'unchanged' : 'made from'
  if (same.length === 0) return ranBefore ? [] : intro
  if (!verbose) return [...intro, `${heading}: ${same.map(({ words }) => words).join(', ')}`]
  return [...intro, `${heading}:`, ...same.flatMap(({ words, names }) => [`  ${words}`, ...names.map((name) => `    ${name}`)])]
}

const freshBy: Readonly<Record<string, string>> = {
  content: 'its fingerprint: an equal one is restored from the cache',
  verified: 'its fingerprint, and a look whether its artifact is there',
  effect: 'a look at its target: no cache vouches for it',
}

const places: Readonly<Record<string, string>> = {
  local: 'in the local cache',
  remote: 'in the shared cache',
  project: 'in the project folder',
}

function factsOf({
  title,
  id,
  freshness,
  prediction,
  fingerprint,
  storedIn,
  service,
  lastRun,
}: Explained): readonly (readonly [string, string])[] {
  const isTold = title !== '' && !id.endsWith(`:${title}`)
  return [
    ...(isTold ? [['task', title] as const] : []),
    ...(service === undefined ? [] : [['service', service] as const]),
    ['skipped on', alwaysRuns(prediction) ? 'nothing' : (freshBy[freshness] ?? freshness)],
    ...(fingerprint === undefined ? [] : [['fingerprint', fingerprint] as const]),
    ...(fingerprint === undefined || freshness !== 'content' ? [] : [['result', storedText(storedIn)] as const]),
    ['last run', lastRun ? lastRunText(lastRun) : 'no timing is known'],
  ]
}

function storedText(storedIn: readonly string[]): string {
  return storedIn.length === 0 ? 'in no cache' : storedIn.map((place) => places[place] ?? place).join(', ')
}

const outcomes = { ran: 'ran', skipped: 'was up to date', failed: 'failed', canceled: 'was not run' } as const

function lastRunText({ status, durationMs, ranMs, restored, because, finishedAt }: NonNullable<Explained['lastRun']>): string {
  const time = `${finishedAt.slice(0, 10)} ${finishedAt.slice(11, 16)} UTC`
  const took = status === 'ran' || status === 'failed' ? ` in ${renderDuration(durationMs)}` : ''
  const takes = ranMs !== undefined && status !== 'ran' ? ` (takes ${renderDuration(ranMs)})` : ''
  return `${restored ? 'was restored' : outcomes[status]}${took}${takes}, ${time}${because === undefined ? '' : `: ${because}`}`
}
