/**
 * Globs taken apart, so that two of them can be compared. The language is what `tinyglobby` matches files with: `*`, `?`, `[…]`, `**`, `{a,b}`,
 * `{1..3}`, `\` before what is meant literally; a pattern that does not end in `*` also covers what is below the folder it may name.
 */

/** Any number of characters of one segment. */
export const star = Symbol('*')

/** One character of several: `?`, `[a-z]`. */
export interface CharacterClass {
  has(character: string): boolean
}

export type Token = string | typeof star | CharacterClass

/** Any number of segments, none too. */
export const globstar = Symbol('**')

/** One name of a path; plain text where nothing in it varies. */
export type Segment = string | readonly Token[] | typeof globstar

/** A glob without alternatives. */
export type Pattern = readonly Segment[]

/** More alternatives than anybody writes by hand: what has more is not compared. */
const alternativesLimit = 100

/**
 * The alternatives of a glob; none for what cannot be compared: groups in parentheses, brackets without an end, more than 100 alternatives.
 * @param isFolder false: it names files only, so that nothing below is meant.
 */
export function parsePattern(glob: string, isFolder = true): readonly Pattern[] {
  const folder = glob.replace(/(?<=.)\/$/, '')
  if (!special.test(folder)) return [[...splitSegments(folder), ...(isFolder ? [globstar as typeof globstar] : [])]]
  const whole = folder.endsWith('*') || !isFolder ? folder : `${folder}/**`
  // Of the library: after a name that ends in `*`, a last `**` is at least one name.
  const alternatives = expandBraces(whole.replace(/(?<=(?:^|[^*])\*)(?:\/\*\*)+$/, '/*/**'))
  return (alternatives ?? []).flatMap((text) => {
    const segments = splitSegments(text).map(parseSegment)
    return segments.every((segment) => segment !== undefined) ? [segments] : []
  })
}

/** A path as a pattern that matches nothing else. */
export function literalPattern(path: string): Pattern {
  return path.split('/')
}

/** What a pattern begins with before anything in it varies: whole names, and characters of the one after them. */
export function fixedBeginning(pattern: Pattern): { readonly names: readonly string[]; readonly next: string } {
  const names: string[] = []
  for (const segment of pattern) {
    if (typeof segment !== 'string') return { names, next: segment === globstar ? '' : charactersBefore(segment) }
    names.push(segment)
  }
  return { names, next: '' }
}

function charactersBefore(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token) => typeof token !== 'string')
  return tokens.slice(0, end === -1 ? tokens.length : end).join('')
}

function splitSegments(text: string): string[] {
  return text.split('/').filter((segment) => segment !== '' && segment !== '.')
}

/** Characters that mean something else than themselves, or are refused. */
const special = /[*?[\]{}()\\]/

const any: CharacterClass = { has: () => true }

function parseSegment(text: string): Segment | undefined {
  if (text === '**') return globstar
  if (!special.test(text)) return text
  const tokens: Token[] = []
  const characters = [...text]
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string
    if (character === '(' || character === ')') return undefined
    if (character === '\\') tokens.push(characters[++at] ?? '\\')
    else if (character === '?') tokens.push(any)
    else if (character === '*') {
      if (tokens.at(-1) !== star) tokens.push(star)
    } else if (character === '[') {
      const end = characters.indexOf(']', at + 2)
      const inside = characters.slice(at + 1, end)
      if (end === -1 || inside.includes('[') || inside.includes('\\')) return undefined
      tokens.push(parseClass(inside))
      at = end
    } else tokens.push(character)
  }
  return tokens.every((token) => typeof token === 'string') ? tokens.join('') : tokens
}

function parseClass(inside: readonly string[]): CharacterClass {
  const isNegated = inside[0] === '!' || inside[0] === '^'
  const members = isNegated ? inside.slice(1) : inside
  const ranges: (readonly [from: string, to: string])[] = []
  for (let at = 0; at < members.length; at++) {
    const from = members[at] as string
    const to = members[at + 1] === '-' ? members[at + 2] : undefined
    ranges.push([from, to ?? from])
    if (to !== undefined) at += 2
  }
  return { has: (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isNegated }
}

/** Undefined when there are too many. */
function expandBraces(text: string): readonly string[] | undefined {
  const open = nextBraces(text)
  if (!open) return [text]
  const { start, end, choices } = open
  const expanded: string[] = []
  for (const choice of choices) {
    const rest = expandBraces(`${text.slice(0, start)}${choice}${text.slice(end + 1)}`)
    if (rest === undefined || expanded.length + rest.length > alternativesLimit) return undefined
    expanded.push(...rest)
  }
  return expanded
}

/** The first braces that hold a choice. */
function nextBraces(text: string): { readonly start: number; readonly end: number; readonly choices: readonly string[] } | undefined {
  for (let start = text.indexOf('{'); start !== -1; start = text.indexOf('{', start + 1)) {
    if (text[start - 1] === '\\') continue
    const commas: number[] = []
    let depth = 0
    for (let at = start; at < text.length; at++) {
      if (text[at] === '\\') at++
      else if (text[at] === '{') depth++
      else if (text[at] === ',' && depth === 1) commas.push(at)
      else if (text[at] === '}' && --depth === 0) {
        const choices = commas.length > 0 ? cut(text, [start, ...commas, at]) : rangeOf(text.slice(start + 1, at))
        if (choices) return { start, end: at, choices }
        break
      }
    }
  }
  return undefined
}

function cut(text: string, bounds: readonly number[]): string[] {
  return bounds.slice(1).map((end, index) => text.slice((bounds[index] as number) + 1, end))
}

/** `1..3`, `a..c`. */
function rangeOf(text: string): readonly string[] | undefined {
  const [, first = '', last = ''] = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])$/.exec(text) ?? []
  if (first === '') return undefined
  const isNumeric = /\d/.test(first) && /\d/.test(last)
  const [from, to] = isNumeric ? [Number(first), Number(last)] : [first.charCodeAt(0), last.charCodeAt(0)]
  const length = Math.min(Math.abs(to - from), alternativesLimit) + 1
  const values = Array.from({ length }, (_, index) => (to < from ? from - index : from + index))
  return values.map((value) => (isNumeric ? String(value) : String.fromCharCode(value)))
}
