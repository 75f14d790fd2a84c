/** Redaction by value: the last line of defence on every output stream, whatever a program we start chooses to print. */

const mask = '***'
const shortestLength = 4
/** Words that say nothing when they are a secret's value, and whose loss would make output unreadable. */
const trivialWords: ReadonlySet<string> = new Set(
  `true false yes no on off null none nil undefined enabled disabled enable disable default auto
   production development staging testing prod test local localhost
   silent fatal error warn warning info debug trace verbose root admin postgres postgresql mysql redis
   utf8 utf-8 json text https http 127.0.0.1 0.0.0.0`.split(/\s+/),
)
/** A port, a year, a size in small units. */
const shortNumber = /^[+-]?\d{1,5}(\.\d{1,3})?$/
const credentialsInUrl = '(?<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://[^\\s/:@]*:)[^\\s/]+(?=@)'

/**
 * A function that replaces each of `values` by `***`, in one pass, longest first, whether it appears plainly or as text in
 * JSON, a URL or base64; each line of a value of several lines; the password within a connection string; and what stands
 * between `user:` and `@` in any URL. Values shorter than four characters and trivial words stay.
 */
export function createRedactor(values: Iterable<string>): (text: string) => string {
  const pattern = new RegExp([...tellingForms(values).map(escapePattern), credentialsInUrl].join('|'), 'g')
  return (text) => text.replace(pattern, (...match) => `${(match.at(-1) as { scheme?: string }).scheme ?? ''}${mask}`)
}

/**
 * A function that says whether one of `values` is in a text, in any form that {@link createRedactor} would hide. The text may also be bytes of
 * any kind, read as Latin 1: to look for UTF-8 in what is none takes thirty times as long.
 */
export function createDetector(values: Iterable<string>): (text: string) => boolean {
  const forms = tellingForms(values).flatMap((form) => [...new Set([form, Buffer.from(form).toString('latin1')])])
  if (forms.length === 0) return () => false
  const pattern = new RegExp(forms.map(escapePattern).join('|'))
  return (text) => pattern.test(text)
}

/** Longest first, as a pattern takes the first that fits. */
function tellingForms(values: Iterable<string>): readonly string[] {
  const forms = new Set<string>()
  for (const value of values) {
    for (const part of parts(value)) {
      if (isTelling(part)) for (const form of formsOf(part)) forms.add(form)
    }
  }
  return [...forms].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

/** The value itself, its lines, and the password inside it. */
function* parts(value: string): Generator<string> {
  yield value
  const trimmed = value.trim()
  if (trimmed !== value) yield trimmed
  if (/[\r\n]/.test(value)) for (const line of value.split(/[\r\n]+/)) yield line.trim()
  yield* passwords(trimmed)
}

/** As written and percent-decoded, since a driver decodes it before it complains. */
function* passwords(value: string): Generator<string> {
  const written = [/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^\s/:@]*:([^\s]+)@/, /[?&;\s]password=([^&;\s]+)/i].map(
    (pattern) => pattern.exec(value)?.[1],
  )
  for (const password of written) {
    if (password === undefined) continue
    yield password
    try {
      yield decodeURIComponent(password)
    } catch {
      // A stray percent sign: then the written form is the only one.
    }
  }
}

function isTelling(value: string): boolean {
  return value.length >= shortestLength && !trivialWords.has(value.toLowerCase()) && !shortNumber.test(value)
}

function* formsOf(value: string): Generator<string> {
  yield value
  yield JSON.stringify(value).slice(1, -1)
  const encoded = encodeURIComponent(value.replace(/\p{Cs}/gu, '\ufffd'))
  yield encoded
  yield encoded.replaceAll('%20', '+')
  yield* base64Forms(value)
}

/**
 * Three bytes become four characters, so a value inside longer text (`user:password` of basic authentication) has three
 * encodings. Of the shifted ones, the outer characters mix with the neighbours and are left out.
 */
function* base64Forms(value: string): Generator<string> {
  const bytes = Buffer.from(value)
  const candidates = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const tail = (shift + bytes.length) % 3 === 0 ? 0 : 1
    return text.slice(shift === 0 ? 0 : shift + 1, text.length - tail)
  })
  for (const text of candidates) {
    if (text.length < 8) continue
    yield text
    yield text.replaceAll('+', '-').replaceAll('/', '_')
  }
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}
