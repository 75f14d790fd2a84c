import { canonicalJson } from './canonical-json.ts'
import type { Action, Explanation, Json } from './types.ts'

/** One ingredient of an action, by name only: values may be secret, long, or both. */
export interface Comparison {
  readonly part: 'kind' | 'params' | 'env' | 'secret' | 'file' | 'need'
  /** The kind's name, a path into the params (`build.args.NODE_ENV`), a variable, a file's path or a task id. */
  readonly name: string
  readonly change: 'changed' | 'added' | 'removed' | 'same'
}

/** How a name reads in a sentence; paths and ids speak for themselves. */
const words: Record<Comparison['part'], (name: string) => string> = {
  kind: (name) => `how \`${name}\` works`,
  params: (name) => (name === '' ? 'its settings' : `setting ${name}`),
  env: (name) => `variable ${name}`,
  secret: (name) => `secret ${name}`,
  file: (name) => name,
  need: (name) => `result of ${name}`,
}

/**
 * Why an action is not the one a task last finished with: the most telling difference, named, and how many more there are.
 * The parts go from the broadest cause to the narrowest; within one, names go by code unit.
 */
export function explainChange(previous: Action | undefined, current: Action): Explanation {
  if (!previous) return { reason: 'first-run', detail: 'no result here yet' }
  const changes = compareActions(previous, current).filter(({ change }) => change !== 'same')
  const [first] = changes
  if (!first) return { reason: 'absent', detail: 'nothing changed, but its last result is no longer in the cache' }
  const more = changes.length > 1 ? ` (+${changes.length - 1} more)` : ''
  return { reason: first.part, detail: `${words[first.part](first.name)} ${first.change}${more}` }
}

/** Everything that enters a task's fingerprint, compared name by name; params leaf by leaf. */
export function compareActions(previous: Action, current: Action): readonly Comparison[] {
  const sameKind = previous.kind === current.kind && previous.version === current.version
  return [
    { part: 'kind', name: current.kind, change: sameKind ? 'same' : 'changed' },
    ...compare('params', leaves(previous.params), leaves(current.params)),
    ...compare('env', entries(previous.env), entries(current.env)),
    ...compare('secret', entries(previous.secrets), entries(current.secrets)),
    ...compare('file', entries(previous.files), entries(current.files)),
    ...compare('need', entries(previous.needs), entries(current.needs)),
  ]
}

function compare(part: Comparison['part'], previous: ReadonlyMap<string, string>, current: ReadonlyMap<string, string>): Comparison[] {
  const names = [...new Set([...previous.keys(), ...current.keys()])].sort()
  return names.map((name) => {
    const [before, now] = [previous.get(name), current.get(name)]
    const change = before === undefined ? 'added' : now === undefined ? 'removed' : before === now ? 'same' : 'changed'
    return { part, name, change }
  })
}

function entries(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(record))
}

/** Path → canonical text of every leaf. An empty list or map is a leaf; a member that is undefined is not there. */
function leaves(params: Json): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const visit = (path: string, value: Json): void => {
    const members = typeof value === 'object' && value !== null ? Object.entries(value).filter(([, member]) => member !== undefined) : []
    if (members.length === 0) found.set(path, canonicalJson(value))
    for (const [key, member] of members) visit(step(path, key, Array.isArray(value)), member)
  }
  visit('', params)
  return found
}

function step(path: string, key: string, isIndex: boolean): string {
  if (isIndex) return `${path}[${key}]`
  if (!/^[\w-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}
