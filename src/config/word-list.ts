/** Words as messages list them. */

/** `` `a`, `b` or `c` `` */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** `` `a`, `b`, `c` ``, sorted. */
export function listed(words: Iterable<string>): string {
  return [...words]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((word) => `\`${word}\``)
    .join(', ')
}
