/**
 * Puts things that must keep their order and their distance as near as possible to where they want to be: the least sum of squared
 * deviations, exactly, by pooling neighbours that would overlap (isotonic regression by pool adjacent violators). O(count).
 * @param wanted where each wants to be; @param distances the least distance of each to the one before it (the first is ignored).
 */
export function spread(wanted: readonly number[], distances: readonly number[]): number[] {
  // Shifted by their least offsets, keeping distance becomes not descending.
  const offsets: number[] = []
  for (const [index, distance] of distances.entries()) offsets.push(index === 0 ? 0 : (offsets[index - 1] ?? 0) + distance)
  const pools: { sum: number; count: number }[] = []
  for (const [index, position] of wanted.entries()) {
    let pool = { sum: position - (offsets[index] ?? 0), count: 1 }
    for (let last = pools.at(-1); last && last.sum / last.count > pool.sum / pool.count; last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count }
      pools.pop()
    }
    pools.push(pool)
  }
  const positions: number[] = []
  for (const { sum, count } of pools) {
    for (let member = 0; member < count; member++) positions.push(sum / count + (offsets[positions.length] ?? 0))
  }
  return positions
}
