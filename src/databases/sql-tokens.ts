/**
 * PostgreSQL text as tokens, so that rules never mistake a string or a comment for a statement. Lexical rules:
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */

export interface SqlToken {
  /** `word`: a key word or a plain name, in lower case. `name`: one in double quotes, without them. */
  readonly kind: 'name' | 'number' | 'string' | 'symbol' | 'word'
  readonly text: string
  /** In UTF-16 units of the whole text. */
  readonly offset: number
  /** How many parentheses are open around it; a parenthesis itself counts as outside. */
  readonly depth: number
}

export interface SqlComment {
  readonly text: string
  readonly offset: number
}

export interface TokenizedStatement {
  /** Without the semicolon; never empty. */
  readonly tokens: readonly SqlToken[]
  /** Those before it, in it, and after it on the line it ends on. */
  readonly comments: readonly SqlComment[]
}

const shape =
  /(?<blank>\s+)|(?<line>--[^\n]*)|(?<block>\/\*)|(?<escaped>[eE]'(?:[^'\\]|\\.|'')*'?)|(?<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?)|(?<name>(?:[uU]&)?"(?:[^"]|"")*"?)|(?<dollar>\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<number>\d[\w.]*)|(?<symbol>::|:=|[<>=!]+|.)/suy

/** Cuts a text into statements of tokens. Bodies of functions in dollar quotes are one string. */
export function tokenizeSql(sql: string): readonly TokenizedStatement[] {
  const statements: { tokens: SqlToken[]; comments: SqlComment[] }[] = []
  let tokens: SqlToken[] = []
  let comments: SqlComment[] = []
  let depth = 0
  const finish = () => {
    if (tokens.length > 0) {
      statements.push({ tokens, comments })
      comments = []
    }
    tokens = []
    depth = 0
  }
  for (let at = 0; at < sql.length; ) {
    shape.lastIndex = at
    const groups = shape.exec(sql)?.groups ?? {}
    const kind = Object.keys(groups).find((key) => groups[key] !== undefined) ?? 'symbol'
    const text = groups[kind] ?? sql.charAt(at)
    const end = kind === 'block' ? endOfBlock(sql, at) : kind === 'dollar' ? endOfDollar(sql, text, at) : at + text.length
    if (kind === 'line' || kind === 'block') {
      const comment = { text: sql.slice(at, end), offset: at }
      const last = statements.at(-1)
      // `…; -- about this one`
      if (tokens.length === 0 && last && isSameLine(sql, last.tokens.at(-1)?.offset ?? 0, at)) last.comments.push(comment)
      else comments.push(comment)
    } else if (text === ';' && depth === 0) finish()
    else if (kind !== 'blank') {
      if (text === ')') depth = Math.max(0, depth - 1)
      tokens.push({ ...tokenOf(kind, text, sql.slice(at, end)), offset: at, depth })
      if (text === '(') depth += 1
    }
    at = end
  }
  finish()
  return statements
}

function tokenOf(kind: string, text: string, whole: string): Pick<SqlToken, 'kind' | 'text'> {
  if (kind === 'word') return { kind, text: text.toLowerCase() }
  if (kind === 'name') return { kind, text: text.slice(text.indexOf('"') + 1, -1).replaceAll('""', '"') }
  if (kind === 'number' || kind === 'symbol') return { kind, text }
  return { kind: 'string', text: whole }
}

/** Block comments nest. */
function endOfBlock(sql: string, start: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = start
  let open = 0
  for (let match = edge.exec(sql); match; match = edge.exec(sql)) {
    open += match[0] === '/*' ? 1 : -1
    if (open === 0) return edge.lastIndex
  }
  return sql.length
}

function endOfDollar(sql: string, quote: string, start: number): number {
  const end = sql.indexOf(quote, start + quote.length)
  return end === -1 ? sql.length : end + quote.length
}

function isSameLine(sql: string, from: number, to: number): boolean {
  return !sql.slice(from, to).includes('\n')
}
