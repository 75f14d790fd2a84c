/** Finds in migration files what may stop a database in use: statically, statement by statement. Pure. */
import { lineAt } from '../sql-statements.ts'
import { type SqlToken, type TokenizedStatement, tokenizeSql } from '../sql-tokens.ts'
import { riskOfAction } from './alter-table.ts'
import { lockRules, type RuleName, type Severity, weights } from './rules.ts'
import { hasWords, parts, Reader } from './statement.ts'

export interface CheckedFile {
  readonly id: string
  readonly sql: string
  /** False: its statements run one by one. */
  readonly transaction: boolean
}

export interface LockRisk {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** Of the statement within its file, from 1. */
  readonly statement: number
  readonly rule: RuleName
  readonly severity: Severity
  readonly lock: string
  readonly why: string
  readonly advice: string
}

interface State {
  readonly isBeforeRollout: boolean
  readonly transaction: boolean
  /** Tables that are made by these very files: nobody uses them yet. Left for good at the end of a file. */
  readonly made: Set<string>
  readonly checked: Set<string>
  readonly unvalidated: Set<string>
}

/** @param isBeforeRollout containers of the release before still run when these are applied. */
export function lockRisks(files: readonly CheckedFile[], isBeforeRollout: boolean): readonly LockRisk[] {
  const made = new Set<string>()
  const checked = new Set<string>()
  return files.flatMap((file) => {
    const state: State = { isBeforeRollout, transaction: file.transaction, made, checked, unvalidated: new Set() }
    return tokenizeSql(file.sql).flatMap((statement, index) => risksOf(statement, index, file, state))
  })
}

/** 100 less what each risk weighs; never below 0. */
export function readinessScore(risks: readonly LockRisk[]): number {
  return Math.max(0, 100 - risks.reduce((sum, { severity }) => sum + weights[severity], 0))
}

function risksOf(statement: TokenizedStatement, index: number, file: CheckedFile, state: State): LockRisk[] {
  const allowed = allowedBy(statement)
  const riskAt = (rule: RuleName, offset: number): LockRisk => ({
    ...{ file: file.id, line: lineAt(file.sql, offset), statement: index + 1, rule },
    ...lockRules[rule],
  })
  const unknown = allowed.filter(({ rule }) => !Object.hasOwn(lockRules, rule)).map(({ offset }) => riskAt('unknown-rule', offset))
  const found = findings(statement.tokens, state).filter(({ rule }) => !allowed.some((one) => one.rule === rule))
  return [...found.map(({ rule, offset }) => riskAt(rule, offset)), ...unknown]
}

/** `-- stagecraft: allow drop-column, rename: nobody reads it any more` */
function allowedBy({ comments }: TokenizedStatement): readonly { readonly rule: string; readonly offset: number }[] {
  return comments.flatMap(({ text, offset }) => {
    const words = /stagecraft:\s*allow\s+([^:*\n]+)/i.exec(text)?.[1] ?? ''
    const rules = words.split(/[\s,]+/).filter((word) => word !== '')
    return rules.map((rule) => ({ rule: rule.toLowerCase(), offset }))
  })
}

interface Finding {
  readonly rule: RuleName
  readonly offset: number
}

function findings(tokens: readonly SqlToken[], state: State): readonly Finding[] {
  const offset = tokens[0]?.offset ?? 0
  const read = new Reader(tokens)
  if (read.take('alter', 'table') || read.take('alter', 'foreign', 'table')) return ofAlter(read, state)
  const rule = ruleOf(read, tokens, state)
  return rule === undefined ? [] : [{ rule, offset }]
}

function ofAlter(read: Reader, state: State): readonly Finding[] {
  read.take('if', 'exists')
  read.take('only')
  const table = read.name() ?? ''
  if (state.made.has(table)) return []
  return parts(read.rest()).flatMap((action) => {
    const { isBeforeRollout, checked, transaction } = state
    const unvalidated = transaction ? state.unvalidated : new Set<string>()
    const rule = riskOfAction(action, { table, isBeforeRollout, checked, unvalidated })
    return rule === undefined ? [] : [{ rule, offset: action[0]?.offset ?? 0 }]
  })
}

function ruleOf(read: Reader, tokens: readonly SqlToken[], state: State): RuleName | undefined {
  if (read.take('create')) return ofCreate(read, state)
  if (read.take('drop')) return ofDrop(read, state)
  if (read.take('alter')) {
    const isRenamed = ['type', 'view', 'sequence', 'function', 'schema'].some((kind) => read.take(kind))
    return isRenamed && hasWords(tokens, 'rename') ? 'rename' : undefined
  }
  if (read.take('reindex')) return concurrently(tokens, state, 'reindex')
  if (read.take('refresh', 'materialized', 'view')) return hasWords(tokens, 'concurrently') ? undefined : 'refresh-view'
  if (read.take('cluster')) return 'rewrite-table'
  if (read.take('vacuum')) return tokens.some(({ kind, text }) => kind === 'word' && text === 'full') ? 'vacuum-full' : undefined
  if (read.take('lock')) return 'lock-table'
  if (read.take('truncate')) {
    read.take('table')
    read.take('only')
    return isMade(read, state) ? undefined : 'truncate'
  }
  if (read.take('update')) {
    read.take('only')
    return isMade(read, state) || hasWords(tokens, 'where') ? undefined : 'update-all'
  }
  if (read.take('delete', 'from')) {
    read.take('only')
    return isMade(read, state) || hasWords(tokens, 'where') ? undefined : 'delete-all'
  }
  return undefined
}

function ofCreate(read: Reader, state: State): RuleName | undefined {
  for (const word of ['global', 'local', 'temporary', 'temp', 'unlogged']) read.take(word)
  if (read.take('table')) {
    read.take('if', 'not', 'exists')
    const name = read.name()
    if (name !== undefined) state.made.add(name)
    return undefined
  }
  read.take('unique')
  if (!read.take('index')) return undefined
  const isConcurrent = read.take('concurrently')
  if (isConcurrent) return state.transaction ? 'concurrently-in-transaction' : undefined
  const words = read.rest()
  const on = new Reader(words.slice(words.findIndex((token) => token.kind === 'word' && token.text === 'on') + 1))
  on.take('only')
  return isMade(on, state) ? undefined : 'create-index'
}

function ofDrop(read: Reader, state: State): RuleName | undefined {
  if (read.take('index')) {
    if (!read.take('concurrently')) return 'drop-index'
    return state.transaction ? 'concurrently-in-transaction' : undefined
  }
  const isRelation =
    ['table', 'view', 'sequence', 'schema', 'function', 'type'].find((kind) => read.take(kind)) ??
    (read.take('materialized', 'view') ? 'view' : undefined)
  if (isRelation === undefined || !state.isBeforeRollout) return undefined
  read.take('if', 'exists')
  return isMade(read, state) ? undefined : 'drop-table'
}

function concurrently(tokens: readonly SqlToken[], state: State, without: RuleName): RuleName | undefined {
  if (!tokens.some(({ kind, text }) => kind === 'word' && text === 'concurrently')) return without
  return state.transaction ? 'concurrently-in-transaction' : undefined
}

function isMade(read: Reader, { made }: State): boolean {
  const name = read.name()
  return name !== undefined && made.has(name)
}
