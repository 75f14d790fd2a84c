/**
 * Cuts a file of PostgreSQL into statements, so that an error can be given its line, and statements that refuse to share a
 * transaction can be sent alone. Lexical rules: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export interface Statement {
  /** Without the semicolon; comments before it are left out. */
  readonly text: string
  /** Where `text` begins in the file, in UTF-16 units. */
  readonly offset: number
  /** Its words outside quotes, comments and parentheses, in lower case. */
  readonly words: readonly string[]
}

/** White space, comments, strings, quoted names, dollar quotes, words, single characters. A doubled quote reads as two strings, which is as good. */
const token =
  /(?<blank>\s+|--[^\n]*)|(?<comment>\/\*)|[eE]'(?:[^'\\]+|\\.|'')*'?|'[^']*'?|"[^"]*"?|(?<dollar>\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|./suy

/** The statements of a file, in order; nothing for blank and comment-only text. */
export function splitStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = []
  let start: number | undefined
  let words: string[] = []
  let parentheses = 0
  let blocks = 0
  const finish = (end: number) => {
    if (start !== undefined) statements.push({ text: sql.slice(start, end), offset: start, words })
    start = undefined
    words = []
    parentheses = 0
    blocks = 0
  }
  for (let at = 0; at < sql.length; ) {
    token.lastIndex = at
    const match = token.exec(sql)
    const { blank, comment, dollar, word } = match?.groups ?? {}
    let end = at + (match?.[0].length ?? 1)
    if (comment !== undefined) end = endOfComment(sql, at)
    else if (dollar !== undefined) end = endOf(sql, dollar, end)
    const text = sql.slice(at, end)
    if (text === ';' && parentheses === 0 && blocks === 0) finish(at)
    else if (blank === undefined && comment === undefined) start ??= at
    if (text === '(') parentheses += 1
    if (text === ')') parentheses = Math.max(0, parentheses - 1)
    if (word !== undefined && parentheses === 0) {
      const lower = word.toLowerCase()
      if (isRoutine(words)) blocks = Math.max(0, blocks + blockStep(lower, words.at(-1), blocks))
      words.push(lower)
    }
    at = end
  }
  finish(sql.length)
  return statements
}

/** Line of an offset, counted from 1. */
export function lineAt(sql: string, offset: number): number {
  let line = 1
  for (let at = sql.indexOf('\n'); at !== -1 && at < offset; at = sql.indexOf('\n', at + 1)) line += 1
  return line
}

/** Routines of the SQL standard have bodies `begin atomic … end` whose semicolons do not end the statement. */
function isRoutine(words: readonly string[]): boolean {
  const [first, second, , fourth] = words
  const isKind = (word: string | undefined) => word === 'function' || word === 'procedure'
  return first === 'create' && (isKind(second) || (second === 'or' && isKind(fourth)))
}

function blockStep(word: string, before: string | undefined, blocks: number): number {
  if (word === 'atomic' && before === 'begin') return 1
  if (blocks === 0) return 0
  return word === 'case' ? 1 : word === 'end' ? -1 : 0
}

function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let depth = 0
  for (let match = edge.exec(sql); match; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1
    if (depth === 0) return edge.lastIndex
  }
  return sql.length
}

function endOf(sql: string, quote: string, from: number): number {
  const end = sql.indexOf(quote, from)
  return end === -1 ? sql.length : end + quote.length
}
