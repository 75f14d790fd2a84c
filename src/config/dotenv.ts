/** The one reader of environment files. */

/** Values that refer to each other in a circle. The message is the chain of names, and no value. */
export class CircularValues extends Error {
  override readonly name = 'CircularValues'
  constructor(chain: readonly string[]) {
    super(`\`${chain[0]}\` refers to itself: ${chain.join(' → ')}`)
  }
}

/** What a reference stands for; undefined leaves it as it is written. */
type Lookup = (name: string) => string | undefined
type Value = (lookup: Lookup) => string

/**
 * Parses a dotenv file: `KEY=value` lines, an optional `export `, `#` comments, single quotes literal, double quotes with
 * `\\ \" \$ \n \t \r`. A `#` in an unquoted value begins a comment only after white space, so URLs with fragments survive. Lines
 * without `=` or without a key are skipped, later lines win, values are one line.
 *
 * `${NAME}` outside single quotes is the value of another line, wherever it stands; a name that no line has stays as written, so that
 * nothing of the machine's environment comes in.
 * @param given values that take the place of lines of the same name where others refer to them. They are literal.
 * @throws CircularValues
 */
export function parseDotenv(text: string, given: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const lines = linesOf(text)
  const values = new Map<string, string>()
  const resolve = (name: string, chain: readonly string[]): string | undefined => {
    const known = values.get(name)
    const value = lines.get(name)
    if (known !== undefined || value === undefined) return known
    if (chain.includes(name)) throw new CircularValues([...chain.slice(chain.indexOf(name)), name])
    const found = value((other) => {
      const own = resolve(other, [...chain, name])
      return own === undefined ? undefined : Object.hasOwn(given, other) ? (given[other] ?? own) : own
    })
    values.set(name, found)
    return found
  }
  return Object.fromEntries([...lines.keys()].map((name) => [name, resolve(name, []) ?? '']))
}

/** The names a dotenv file gives a value, whatever the values are. */
export function dotenvNames(text: string): readonly string[] {
  return [...linesOf(text).keys()]
}

function linesOf(text: string): ReadonlyMap<string, Value> {
  const entries = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .flatMap((line) => {
      const entry = parseLine(line.trim())
      return entry ? [entry] : []
    })
  return new Map(entries)
}

function parseLine(line: string): readonly [string, Value] | undefined {
  if (line.startsWith('#')) return undefined
  const equals = line.indexOf('=')
  if (equals === -1) return undefined
  const key = line
    .slice(0, equals)
    .replace(/^export\s+/, '')
    .trim()
  return key === '' ? undefined : [key, parseValue(line.slice(equals + 1).trim())]
}

function parseValue(value: string): Value {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(value)
  if (single) return () => single[1] ?? ''
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(value)
  if (double) return (lookup) => unquoted(double[1] ?? '', lookup)
  const plain = value.replace(/(^|\s+)#.*$/, '').trimEnd()
  return (lookup) => plain.replace(/\$\{([A-Za-z_]\w*)\}/g, (written, name: string) => lookup(name) ?? written)
}

/** One pass from left to right: what an escape or a reference leaves is not read again. */
function unquoted(text: string, lookup: Lookup): string {
  return text.replace(/\\([\\"$ntr])|\$\{([A-Za-z_]\w*)\}/g, (written, letter: string | undefined, name: string | undefined) =>
    letter === undefined ? (lookup(name ?? '') ?? written) : (escapes[letter] ?? letter),
  )
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
