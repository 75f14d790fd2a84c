/**
 * Parses a dotenv file: `KEY=value` lines, an optional `export `, `#` comments, single quotes literal, double quotes with
 * `\\ \" \n \t \r`. A `#` in an unquoted value begins a comment only after white space, so URLs with fragments survive. Lines
 * without `=` or without a key are skipped, later lines win, values are one line, nothing is interpolated.
 */
export function parseDotenv(text: string): Record<string, string> {
  const entries = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .flatMap((line) => {
      const entry = parseLine(line.trim())
      return entry ? [entry] : []
    })
  return Object.fromEntries(entries)
}

function parseLine(line: string): readonly [string, string] | undefined {
  if (line.startsWith('#')) return undefined
  const equals = line.indexOf('=')
  if (equals === -1) return undefined
  const key = line
    .slice(0, equals)
    .replace(/^export\s+/, '')
    .trim()
  return key === '' ? undefined : [key, parseValue(line.slice(equals + 1).trim())]
}

function parseValue(value: string): string {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(value)
  if (single) return single[1] ?? ''
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(value)
  if (double) return (double[1] ?? '').replace(/\\([\\"ntr])/g, (_, letter: string) => escapes[letter] ?? letter)
  return value.replace(/(^|\s+)#.*$/, '').trimEnd()
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' }
