/** Flags of `run` that change neither what is decided nor what is said when there is nothing to do; with the form of their value, if they take one. */
const harmless: Readonly<Record<string, RegExp | undefined>> = {
  '--continue': undefined,
  '--color': undefined,
  '--no-color': undefined,
  '--concurrency': /^[1-9]\d{0,3}$/,
  '-j': /^[1-9]\d{0,3}$/,
}

/**
 * The targets of a command line that is `run` and targets and nothing that matters; undefined for any other. Errs on the side of undefined: then the
 * whole program reads the words.
 */
export function plainRunTargets(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] | undefined {
  if (words[0] !== 'run') return undefined
  for (const name in env) if (name.startsWith('STAGECRAFT_') && name !== 'STAGECRAFT_CACHE_DIR') return undefined
  const targets: string[] = []
  for (let index = 1; index < words.length; index++) {
    const word = words[index] as string
    if (!word.startsWith('-')) targets.push(word)
    else if (!Object.hasOwn(harmless, word)) return undefined
    else if (harmless[word] && !harmless[word].test(words[++index] ?? '')) return undefined
  }
  return targets.length === 0 ? undefined : targets
}
