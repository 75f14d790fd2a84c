/** What two globs have in common: patterns whose every path both of them match, and paths made from those. Pure. */
import { globstar, literalPattern, type Pattern, type Segment, star, type Token } from './pattern.ts'

/** Ways to meet that are looked at. More only matter where what is taken away with `!` leaves next to nothing. */
const meetingsLimit = 12

/** Stand for what a wildcard may be. Several, because a `!` may take one of them away. */
const fillers = ['x', 'y.z', 'Q7'] as const

/**
 * Paths that both patterns match, a few of those there are; none when they have none in common.
 * @param isDeep begin with paths below the folders that `**` stands for.
 */
export function* commonPaths(a: Pattern, b: Pattern, isDeep = false): Generator<string> {
  let found = 0
  for (const meeting of meetings(a, b)) {
    const depths = meeting.includes(globstar) ? [isDeep, !isDeep] : [false]
    for (const filler of fillers) for (const depth of depths) yield pathOf(meeting, filler, depth)
    if (++found === meetingsLimit) return
  }
}

export function matches(pattern: Pattern, path: string): boolean {
  return meetings(pattern, literalPattern(path)).next().done === false
}

function meetings(a: Pattern, b: Pattern): Generator<Pattern> {
  return weave<Segment, typeof globstar>(a, b, globstar, meetSegments)
}

function meetSegments(a: Exclude<Segment, typeof globstar>, b: Exclude<Segment, typeof globstar>): Segment | undefined {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? a : undefined
  const found = weave<Token, typeof star>([...a], [...b], star, meetTokens).next()
  return found.done === true ? undefined : found.value
}

/** A character that both tokens allow. */
function meetTokens(a: Exclude<Token, typeof star>, b: Exclude<Token, typeof star>): string | undefined {
  if (typeof a === 'string') return typeof b === 'string' ? (a === b ? a : undefined) : b.has(a) ? a : undefined
  if (typeof b === 'string') return a.has(b) ? b : undefined
  return printable.find((character) => a.has(character) && b.has(character))
}

/** Letters first, for paths that look like paths. `/` is in no name. */
const printable = [
  ...'xabcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  ...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter((character) => character !== '/'),
]

/**
 * All sequences that two sequences with repeats in them have in common, the same for names of a path and for characters of a name: a repeat
 * takes any number of the other's items. Where nothing was found once is not looked at again.
 */
function* weave<Item, Repeat extends Item>(
  a: readonly Item[],
  b: readonly Item[],
  repeat: Repeat,
  meet: (a: Exclude<Item, Repeat>, b: Exclude<Item, Repeat>) => Item | undefined,
): Generator<Item[]> {
  const barren = new Set<number>()

  function* from(i: number, j: number): Generator<Item[]> {
    const key = i * (b.length + 1) + j
    if (barren.has(key)) return
    let isBarren = true
    for (const found of ways(i, j)) {
      isBarren = false
      yield found
    }
    if (isBarren) barren.add(key)
  }

  function* ways(i: number, j: number): Generator<Item[]> {
    if (i === a.length && j === b.length) {
      yield []
      return
    }
    const [left, right] = [a[i], b[j]]
    const isLeft = i < a.length
    const isRight = j < b.length
    if (left === repeat && right === repeat && isLeft && isRight) {
      yield* after(repeat, from(i + 1, j))
      yield* after(repeat, from(i, j + 1))
    } else if (left === repeat && isLeft) {
      if (isRight) yield* after(right as Item, from(i, j + 1))
      yield* from(i + 1, j)
    } else if (right === repeat && isRight) {
      if (isLeft) yield* after(left as Item, from(i + 1, j))
      yield* from(i, j + 1)
    } else if (isLeft && isRight) {
      const both = meet(left as Exclude<Item, Repeat>, right as Exclude<Item, Repeat>)
      if (both !== undefined) yield* after(both, from(i + 1, j + 1))
    }
  }

  function* after(item: Item, rest: Iterable<Item[]>): Generator<Item[]> {
    for (const found of rest) yield [item, ...found]
  }

  yield* from(0, 0)
}

function pathOf(pattern: Pattern, filler: string, isDeep: boolean): string {
  const names = pattern.flatMap((segment) => {
    if (segment === globstar) return isDeep ? [filler] : []
    return [typeof segment === 'string' ? segment : segment.map((token) => characterOf(token, filler)).join('')]
  })
  return names.length === 0 ? filler : names.join('/')
}

function characterOf(token: Token, filler: string): string {
  if (token === star) return filler
  return typeof token === 'string' ? token : (printable.find((character) => token.has(character)) ?? filler)
}
