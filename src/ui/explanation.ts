/** An explanation as a person reads it: the verdict first, then what changed, then what did not. Pure. */
import type { Prediction } from '../contracts.ts'
import { createPaint } from './paint.ts'

interface Explained {
  readonly id: string
  readonly kind: string
  readonly freshness: string
  readonly prediction: Prediction
  readonly fingerprint?: string
  readonly ranBefore: boolean
  readonly parts: readonly { readonly part: string; readonly name: string; readonly change: string }[]
}

/** How many unchanged files are listed before the rest is only counted. */
const listed = 12

const freshBy: Readonly<Record<string, string>> = {
  content: 'its fingerprint: an equal one is restored from the cache',
  verified: 'its fingerprint, and a look whether its artifact is there',
  effect: 'a look at its target: no cache vouches for it',
}

export function renderExplanation(explained: Explained, color: boolean): string {
  const paint = createPaint(color)
  const lines = [
    `${paint.bold(explained.id)}  ${verdict(explained.prediction)}`,
    `  skipped on ${freshBy[explained.freshness] ?? explained.freshness}`,
  ]
  if (explained.fingerprint) lines.push(`  fingerprint ${paint.dim(explained.fingerprint)}`)
  const changed = explained.parts.filter(({ change }) => change !== 'same')
  const same = byInterest(explained.parts.filter(({ change }) => change === 'same'))
  if (!explained.ranBefore) lines.push('', 'it never finished in this checkout, so there is nothing to compare with')
  else if (explained.parts.length > 0 && changed.length === 0) lines.push('', 'nothing it is made from changed since it last finished here')
  if (changed.length > 0) lines.push('', 'changed since it last finished here:')
  for (const { part, name, change } of changed) lines.push(`  ${paint.yellow(change.padEnd(8))} ${part} ${name}`)
  if (same.length > 0) lines.push('', explained.ranBefore ? 'unchanged:' : 'made from:')
  for (const { part, name } of same.slice(0, listed)) lines.push(paint.dim(`  ${part} ${name}`))
  if (same.length > listed) lines.push(paint.dim(`  and ${same.length - listed} more`))
  return `${lines.join('\n')}\n`
}

/** What a person changes first: files and results, then settings. */
const interest = ['file', 'need', 'env', 'secret', 'params', 'kind']

function byInterest(parts: Explained['parts']): Explained['parts'] {
  return [...parts].sort((a, b) => interest.indexOf(a.part) - interest.indexOf(b.part))
}

function verdict(prediction: Prediction): string {
  switch (prediction.state) {
    case 'fresh':
      return `is up to date: ${prediction.detail}`
    case 'run':
      return `would run: ${prediction.because.detail}`
    case 'may-run':
      return `may run: it waits for the result of ${prediction.waitsFor}`
    case 'unknown':
      return `could not be judged: ${prediction.message}`
  }
}
