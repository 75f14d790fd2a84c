/** Which names in a folder a glob could mean: in a folder of thousands that thousands of tasks share, looking at every entry for every task takes longer than all else. */

/** Whether an entry of a folder is worth looking at; undefined when all of them are. */
export type WantedNames = (name: string) => boolean

/**
 * Errs on the side of yes: what it says no to, none of the globs matches, nor anything below it.
 * @param patterns positive globs, relative to the folder that is walked. @returns for a folder below that one, `''` for itself.
 */
export function wantedNames(patterns: readonly string[]): (folder: string) => WantedNames | undefined {
  // The library of globs reads `|` as "or" even outside of parentheses: what is on its right begins anew at the top.
  if (patterns.some((pattern) => pattern.includes('|'))) return () => undefined
  const all = patterns.map((pattern) => pattern.split('/'))
  return (folder) => {
    const names = folder === '' ? [] : folder.split('/')
    const beginnings: string[] = []
    for (const parts of all) {
      const beginning = beginningIn(names, parts)
      if (beginning === '') return undefined
      if (beginning !== undefined) beginnings.push(beginning)
    }
    const [only = ''] = beginnings
    return beginnings.length === 1 ? (name) => name.startsWith(only) : (name) => beginnings.some((one) => name.startsWith(one))
  }
}

/** What the name of an entry of this folder has to begin with; undefined when nothing in it is meant. */
function beginningIn(folder: readonly string[], parts: readonly string[]): string | undefined {
  for (const [depth, name] of folder.entries()) {
    const part = parts[depth]
    // A pattern also means what is below the folder that it names.
    if (part === undefined || !isPlain(part)) return ''
    if (part !== name) return undefined
  }
  return beginningOf(parts[folder.length] ?? '')
}

/** Only what no library of globs gives a meaning to. */
const plain = /^[\p{L}\p{N}_.-]*/u

function beginningOf(part: string): string {
  // `.` and `..` are no names.
  return part === '.' || part === '..' ? '' : (plain.exec(part)?.[0] ?? '')
}

function isPlain(part: string): boolean {
  return part !== '' && beginningOf(part) === part
}
