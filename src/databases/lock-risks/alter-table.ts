/** What one action of `alter table` risks. https://www.postgresql.org/docs/current/sql-altertable.html */
import type { SqlToken } from '../sql-tokens.ts'
import type { RuleName } from './rules.ts'
import { hasWords, isWord, Reader } from './statement.ts'

export interface AlterContext {
  readonly table: string
  /** Old containers still run when it is applied. */
  readonly isBeforeRollout: boolean
  /** `<table>.<column>` of checks that a column is not null, so far. */
  readonly checked: Set<string>
  /** `<table>.<constraint>` that this very transaction added as not valid. */
  readonly unvalidated: Set<string>
}

export function riskOfAction(action: readonly SqlToken[], context: AlterContext): RuleName | undefined {
  const read = new Reader(action)
  if (read.take('add', 'constraint')) {
    const name = read.name()
    return riskOfConstraint(read.rest(), name, context)
  }
  if (read.take('add')) return riskOfAddition(read.rest(), context)
  if (read.take('validate', 'constraint')) {
    return context.unvalidated.has(`${context.table}.${read.name()}`) ? 'validate-in-same-transaction' : undefined
  }
  if (read.take('drop', 'constraint')) return undefined
  if (read.take('drop')) return context.isBeforeRollout ? 'drop-column' : undefined
  if (read.take('rename', 'constraint')) return undefined
  if (read.take('rename')) return 'rename'
  if (read.take('set', 'schema')) return 'rename'
  if (read.take('set', 'logged') || read.take('set', 'unlogged') || read.take('set', 'tablespace') || read.take('set', 'access', 'method'))
    return 'rewrite-table'
  if (read.take('alter')) return riskOfColumn(read, context)
  return undefined
}

function riskOfColumn(read: Reader, { table, checked }: AlterContext): RuleName | undefined {
  read.take('column')
  const column = read.name()
  if (read.take('set', 'not', 'null')) return checked.has(`${table}.${column}`) ? undefined : 'set-not-null'
  if (read.take('type') || read.take('set', 'data', 'type')) return 'alter-type'
  return undefined
}

const constraintWords = ['check', 'exclude', 'foreign', 'primary', 'unique']

function riskOfAddition(tokens: readonly SqlToken[], context: AlterContext): RuleName | undefined {
  const [first, second] = tokens
  // `add check (…)`, but a column may be called `check` only in quotes.
  if (first?.kind === 'word' && constraintWords.includes(first.text) && second?.text !== '.')
    return riskOfConstraint(tokens, undefined, context)
  const read = new Reader(tokens)
  read.take('column')
  read.take('if', 'not', 'exists')
  read.name()
  const definition = read.rest()
  const type = definition[0]
  if (type?.kind === 'word' && /^(small|big)?serial\d?$/.test(type.text)) return 'volatile-default'
  if (hasWords(definition, 'generated') && (hasWords(definition, 'identity') || hasWords(definition, 'stored'))) return 'volatile-default'
  if (hasWords(definition, 'unique') || hasWords(definition, 'primary', 'key')) return 'add-unique'
  const at = definition.findIndex((token) => isWord(token, 'default') && token.depth === (type?.depth ?? 0))
  if (at === -1) return hasWords(definition, 'not', 'null') ? 'not-null-column' : undefined
  return isVolatile(definition.slice(at + 1)) ? 'volatile-default' : undefined
}

/** Functions that give every row of one statement the same value. */
const steady = new Set(
  'now transaction_timestamp statement_timestamp current_setting lower upper concat coalesce to_timestamp to_date date_trunc make_date jsonb_build_object jsonb_build_array json_build_object json_build_array row array cast'.split(
    ' ',
  ),
)

/** A call of any other function may give each row another value. */
function isVolatile(expression: readonly SqlToken[]): boolean {
  return expression.some((token, index) => {
    const isCall = token.kind === 'word' && expression[index + 1]?.text === '('
    // `'x'::varchar(20)` names a type.
    const isType = expression[index - 1]?.text === '::' || isWord(expression[index - 1], 'as')
    const isClause = ['check', 'references', 'collate', 'constraint'].includes(token.text) || isWord(expression[index - 1], 'references')
    return isCall && !isType && !isClause && !steady.has(token.text)
  })
}

function riskOfConstraint(tokens: readonly SqlToken[], name: string | undefined, context: AlterContext): RuleName | undefined {
  const isLater = hasWords(tokens, 'not', 'valid')
  const read = new Reader(tokens)
  if (isLater && name !== undefined) context.unvalidated.add(`${context.table}.${name}`)
  if (read.take('check')) {
    noteNotNull(read.rest(), context)
    return isLater ? undefined : 'add-check'
  }
  if (read.take('foreign', 'key')) return isLater ? undefined : 'add-foreign-key'
  if (read.take('unique') || read.take('primary', 'key')) return hasWords(tokens, 'using', 'index') ? undefined : 'add-unique'
  return read.take('exclude') ? 'add-exclusion' : undefined
}

/** `check (name is not null)`: once it is valid, `set not null` believes it. */
function noteNotNull(tokens: readonly SqlToken[], { table, checked }: AlterContext): void {
  const inner = new Reader(tokens.filter(({ text, kind }) => kind !== 'symbol' || (text !== '(' && text !== ')')))
  const column = inner.name()
  if (inner.take('is', 'not', 'null')) checked.add(`${table}.${column}`)
}
