/** What a statement may do to a database that is in use, and how it is done without. Locks: https://www.postgresql.org/docs/current/explicit-locking.html */

export type Severity = 'high' | 'medium' | 'low'

export interface LockRule {
  readonly severity: Severity
  /** The strongest lock it takes on a table that is there. */
  readonly lock: string
  readonly why: string
  /** The safe way. */
  readonly advice: string
}

const exclusive = 'ACCESS EXCLUSIVE'
const twoReleases = 'add what is new now, remove what is old in a later release, when nothing uses it any more'
const validateLater = 'add it as NOT VALID, and in another file `alter table … validate constraint …`, which lets reads and writes through'

export const lockRules = {
  'create-index': {
    ...{ severity: 'high', lock: 'SHARE' },
    why: 'nobody can write to the table while the index is built',
    advice: 'create index concurrently, in a file of its own that begins with `-- stagecraft: no-transaction`',
  },
  'concurrently-in-transaction': {
    ...{ severity: 'high', lock: 'none' },
    why: 'CONCURRENTLY cannot run inside a transaction, and this file runs in one: it will fail',
    advice: 'begin the file with `-- stagecraft: no-transaction`, and put nothing else into it',
  },
  'drop-index': {
    ...{ severity: 'medium', lock: exclusive },
    why: 'it waits for every query on the table, and every later query waits for it',
    advice: 'drop index concurrently, in a file that begins with `-- stagecraft: no-transaction`',
  },
  reindex: {
    ...{ severity: 'high', lock: exclusive },
    why: 'nobody can write to the table, nor read by the index, while it is rebuilt',
    advice: 'reindex … concurrently, in a file that begins with `-- stagecraft: no-transaction`',
  },
  'volatile-default': {
    ...{ severity: 'high', lock: exclusive },
    why: 'a value of its own for every row: the whole table is rewritten, and nobody can read it meanwhile',
    advice: 'add the column without it, set the default for new rows in a second statement, and fill old rows in batches after the rollout',
  },
  'not-null-column': {
    ...{ severity: 'high', lock: exclusive },
    why: 'NOT NULL without a default fails on a table with rows, and old containers insert without it',
    advice: 'give it a constant default, or add it without NOT NULL first',
  },
  'set-not-null': {
    ...{ severity: 'high', lock: exclusive },
    why: 'every row is read while nobody can use the table',
    advice:
      'first add `check (column is not null) not valid`, validate it in another file, then set not null: it is believed without reading, and the check can go',
  },
  'alter-type': {
    ...{ severity: 'high', lock: exclusive },
    why: 'most changes of a type rewrite the table and its indexes while nobody can use them, and old containers meet another type',
    advice: 'add a column of the new type, fill it in batches, let the code change over, and drop the old one in a later release',
  },
  'rewrite-table': {
    ...{ severity: 'high', lock: exclusive },
    why: 'the whole table is written anew, and nobody can read it meanwhile',
    advice: 'do it in a time of maintenance, or with a tool that copies beside the table',
  },
  'add-foreign-key': {
    ...{ severity: 'high', lock: 'SHARE ROW EXCLUSIVE on both tables' },
    why: 'every row is checked while nobody can write to either table',
    advice: validateLater,
  },
  'add-check': {
    ...{ severity: 'high', lock: exclusive },
    why: 'every row is checked while nobody can use the table',
    advice: validateLater,
  },
  'add-unique': {
    ...{ severity: 'high', lock: exclusive },
    why: 'its index is built while nobody can use the table',
    advice: 'create unique index concurrently in a file of its own, then `add constraint … unique using index …`',
  },
  'add-exclusion': {
    ...{ severity: 'high', lock: exclusive },
    why: 'its index is built while nobody can use the table, and there is no way to do that beside it',
    advice: 'do it in a time of maintenance',
  },
  'validate-in-same-transaction': {
    ...{ severity: 'high', lock: exclusive },
    why: 'the lock of adding the constraint is held while every row is checked',
    advice: 'validate it in another file',
  },
  'drop-column': {
    ...{ severity: 'high', lock: exclusive },
    why: 'containers of the release before still name it, until they are replaced and after a rollback',
    advice: twoReleases,
  },
  'drop-table': {
    ...{ severity: 'high', lock: exclusive },
    why: 'containers of the release before still use it, and its rows are gone',
    advice: twoReleases,
  },
  rename: {
    ...{ severity: 'high', lock: exclusive },
    why: 'at no time are both names there: the old or the new containers fail',
    advice: 'add the new name beside the old one (a column that is filled, or a view), and remove the old one in a later release',
  },
  truncate: {
    ...{ severity: 'high', lock: exclusive },
    why: 'every row is gone, and nobody can use the table until the end of the transaction',
    advice: 'delete in batches',
  },
  'lock-table': {
    ...{ severity: 'high', lock: 'as it says' },
    why: 'others wait until the transaction ends',
    advice: 'lock rows, or leave it to the statements themselves',
  },
  'vacuum-full': {
    ...{ severity: 'high', lock: exclusive },
    why: 'the table is written anew, and nobody can read it meanwhile',
    advice: 'plain vacuum, which nobody waits for',
  },
  'refresh-view': {
    ...{ severity: 'medium', lock: exclusive },
    why: 'nobody can read the view while it is made again',
    advice: 'refresh materialized view concurrently, which needs a unique index on it',
  },
  'update-all': {
    ...{ severity: 'medium', lock: 'ROW EXCLUSIVE' },
    why: 'every row is written in one transaction: others that write them wait, and the table grows to twice its size',
    advice: 'in batches, by a migration with `strategy: post_deploy` or a job',
  },
  'delete-all': {
    ...{ severity: 'medium', lock: 'ROW EXCLUSIVE' },
    why: 'every row goes, in one transaction that others wait for',
    advice: 'say which with `where`, in batches',
  },
  'unknown-rule': {
    ...{ severity: 'low', lock: 'none' },
    why: 'it allows a rule that there is none of',
    advice: 'see the list in the guide: a mistyped name allows nothing',
  },
} as const satisfies Readonly<Record<string, LockRule>>
export type RuleName = keyof typeof lockRules

/** What each takes from 100. */
export const weights: Readonly<Record<Severity, number>> = { high: 25, medium: 10, low: 3 }
