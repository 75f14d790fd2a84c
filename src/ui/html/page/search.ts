/** Finding tasks by what a person types of their ids. */

/**
 * Indices of the ids that match, best first: equal, then those that begin with it (the part behind the colon counts as a beginning), then
 * those that hold it, then those that hold its letters in order. Case does not matter; of equals, the shorter id comes first.
 */
export function search(query: string, ids: readonly string[]): number[] {
  const wanted = query.trim().toLowerCase()
  if (wanted === '') return []
  const found = ids.flatMap((id, index) => {
    const rank = rankOf(wanted, id.toLowerCase())
    return rank === undefined ? [] : [{ index, rank, id }]
  })
  // Letters in order are a guess, for when there is nothing better.
  const held = found.filter(({ rank }) => rank < guess)
  const kept = held.length > 0 ? held : found
  kept.sort((a, b) => a.rank - b.rank || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
  return kept.map(({ index }) => index)
}

const guess = 4

function rankOf(wanted: string, id: string): number | undefined {
  const name = id.slice(id.indexOf(':') + 1)
  if (id === wanted || name === wanted) return 0
  if (id.startsWith(wanted) || name.startsWith(wanted)) return 1
  if (new RegExp(`[^a-z0-9]${wanted.replace(/[^a-z0-9]/g, '\\$&')}`).test(id)) return 2
  if (id.includes(wanted)) return 3
  return hasInOrder(wanted, id) ? guess : undefined
}

function hasInOrder(wanted: string, id: string): boolean {
  let from = 0
  for (const letter of wanted) {
    const at = id.indexOf(letter, from)
    if (at === -1) return false
    from = at + letter.length
  }
  return true
}
