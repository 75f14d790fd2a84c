/**
 * The candidate a mistyped word most likely means, for "did you mean": at most two edits away (an edit inserts, drops,
 * replaces or swaps neighbouring letters; capitals do not matter), but not so many that hardly a letter is left in common; ties
 * go to the first by code unit.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = 2
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > bestDistance) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance >= Math.max(word.length, candidate.length) - 1) continue
    const closer = distance < bestDistance || (distance === bestDistance && (best === undefined || candidate < best))
    if (!closer) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** Optimal string alignment: three rows of the usual table are enough. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity
      row.push(Math.min(replaced, swapped, at(last, j) + 1, at(row, j - 1) + 1))
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
