/** Compose's units in those of the Engine API. Pure. */

const nanosecondsPerUnit: Readonly<Record<string, number>> = {
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
  d: 8.64e13,
  w: 6.048e14,
}

/** Nanoseconds of a Compose duration (`1m30s`, `500ms`), or undefined when it is none. */
export function nanoseconds(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d+)?(?:us|µs|ms|s|m|h|d|w))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d|w)/g)
  return Math.round([...parts].reduce((total, [, amount, unit]) => total + Number(amount) * (nanosecondsPerUnit[unit ?? ''] ?? 0), 0))
}

const powers: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, kb: 1, m: 2, mb: 2, g: 3, gb: 3, t: 4, tb: 4 }

/** Bytes of a Compose size: `64m`, `1.5gb`, `1048576`; powers of 1024, as Docker has it. */
export function bytes(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const power = powers[unit.toLowerCase().replace(/ib$/, 'b')]
  return amount === undefined || power === undefined ? undefined : Math.round(Number(amount) * 1024 ** power)
}

/** Billionths of a processor: `0.5` is half of one. */
export function nanoCpus(text: string): number | undefined {
  return /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1e9) : undefined
}

/** A command that was written as one text, in words, as Compose splits it: quotes and backslashes hold together, nothing is expanded. */
export function words(text: string): readonly string[] {
  const found: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '\\' && quote !== "'" && at + 1 < text.length) word = (word ?? '') + (text[++at] ?? '')
    else if (quote !== '') {
      if (character === quote) quote = ''
      else word = (word ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== undefined) found.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  return word === undefined ? found : [...found, word]
}
