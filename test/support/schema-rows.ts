/** The keys of a JSON Schema as rows of a table: for the reference page and for the tests of what it says. */
import type { Json, JsonObject } from '../../graph/types.ts'

export interface SchemaRow {
  /** `services.<service>.health.port`, `hosts[].address`. */
  readonly path: string
  readonly type: string
  readonly required: boolean
  readonly fallback?: Json
  readonly description?: string
  readonly example?: Json
  /** The path whose keys it has, when they were listed before. */
  readonly sameAs?: string
}

/** Every key, each map of keys once: where it stands again, its row says where they are listed. */
export function schemaRows(root: JsonObject): SchemaRow[] {
  const seen = new Map<string, string>()
  return keysOf(root, '', seen)
}

function keysOf(schema: JsonObject, path: string, seen: Map<string, string>): SchemaRow[] {
  const rows = new Map<string, SchemaRow>()
  const add = (row: SchemaRow) => {
    const known = rows.get(row.path)
    // An alternative of what another alternative has under the same name.
    const type = known && !known.type.split(', ').includes(row.type) ? `${known.type}, ${row.type}` : row.type
    rows.set(row.path, known ? { ...known, type } : row)
  }
  for (const branch of branches(schema)) {
    const required = Array.isArray(branch['required']) ? branch['required'] : []
    for (const [key, member] of Object.entries(objectOf(branch['properties']))) {
      const at = path === '' ? key : `${path}.${key}`
      const sub = objectOf(member)
      const same = repeated(sub, at, seen)
      add(rowOf(at, sub, required.includes(key), same))
      if (same === undefined) for (const row of keysOf(sub, at, seen)) add(row)
    }
    const inner = objectOf(branch['additionalProperties'])
    if (Object.keys(inner).length > 0) for (const row of keysOf(inner, `${path}.<${singular(path)}>`, seen)) add(row)
    const items = objectOf(branch['items'])
    if (Object.keys(items).length > 0) for (const row of keysOf(items, `${path}[]`, seen)) add(row)
  }
  return [...rows.values()]
}

/** Alternatives, and the schema itself where it has none. */
function branches(schema: JsonObject): JsonObject[] {
  const { anyOf } = schema
  return Array.isArray(anyOf) ? anyOf.flatMap((one) => branches(objectOf(one))) : [schema]
}

/** Where all keys below were listed before; notes them otherwise. */
function repeated(schema: JsonObject, path: string, seen: Map<string, string>): string | undefined {
  const { description: _, default: __, examples: ___, ...shape } = schema
  const withKeys = keyed(schema)
  if (withKeys.length === 0) return undefined
  const texts = [JSON.stringify(shape), ...withKeys.map((one) => JSON.stringify(one['properties']))]
  const known = texts.map((text) => seen.get(text)).find((at) => at !== undefined)
  if (known !== undefined) return known
  for (const text of texts) seen.set(text, path)
  return undefined
}

/** Maps of keys somewhere in a schema's alternatives. */
function keyed(schema: JsonObject): JsonObject[] {
  return branches(schema).flatMap((branch) => {
    const own = branch['properties'] === undefined ? [] : [branch]
    return [...own, ...keyedIn(branch['items']), ...keyedIn(branch['additionalProperties'])]
  })
}

function keyedIn(value: Json | undefined): JsonObject[] {
  const schema = objectOf(value)
  return Object.keys(schema).length === 0 ? [] : keyed(schema)
}

function rowOf(path: string, schema: JsonObject, required: boolean, sameAs: string | undefined): SchemaRow {
  const { description, default: fallback } = schema
  const example = exampleOf(schema)
  return {
    path,
    type: typeText(schema),
    required,
    ...(fallback !== undefined && { fallback }),
    ...(typeof description === 'string' && { description }),
    ...(example !== undefined && { example }),
    ...(sameAs !== undefined && { sameAs }),
  }
}

/** What somebody might write: the schema's own example, else one that follows from its type. */
function exampleOf(schema: JsonObject): Json | undefined {
  const { examples, default: fallback } = schema
  if (Array.isArray(examples) && examples[0] !== undefined) return examples[0]
  for (const branch of branches(schema)) {
    const found = exampleOfBranch(branch, fallback)
    if (found !== undefined) return found
  }
  return undefined
}

function exampleOfBranch(branch: JsonObject, fallback: Json | undefined): Json | undefined {
  if (Array.isArray(branch['examples']) && branch['examples'][0] !== undefined) return branch['examples'][0]
  if (Array.isArray(branch['enum'])) return branch['enum'].find((one) => one !== fallback) ?? branch['enum'][0]
  if (branch['const'] !== undefined) return branch['const']
  if (branch['type'] === 'boolean') return fallback !== true
  if (branch['type'] === 'integer') return typeof fallback === 'number' ? fallback : Math.max(Number(branch['minimum'] ?? 0), 2)
  if (branch['type'] === 'array') {
    const item = exampleOf(objectOf(branch['items']))
    return item === undefined ? undefined : [item]
  }
  return branch['type'] === 'string' && typeof fallback === 'string' ? fallback : undefined
}

/** In words: `text`, `list of text`, `one of ...`. */
function typeText(schema: JsonObject): string {
  const found = branches(schema).flatMap((branch) => branchText(branch) ?? [])
  return [...new Set(found)].join(' or ')
}

function branchText(branch: JsonObject): string | undefined {
  const { type, enum: words, const: word, items, additionalProperties, minimum, maximum } = branch
  if (Array.isArray(words)) return words.map((one) => `\`${String(one)}\``).join(', ')
  if (word !== undefined) return `\`${String(word)}\``
  switch (type) {
    case 'null':
      return undefined
    case 'string':
      return 'text'
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `number${limits(minimum, maximum)}`
    case 'array':
      return `list of ${typeText(objectOf(items))}`
    case 'object': {
      const inner = objectOf(additionalProperties)
      return Object.keys(inner).length > 0 ? `map of ${typeText(inner)}` : 'map'
    }
    default:
      return 'anything'
  }
}

function limits(minimum: Json | undefined, maximum: Json | undefined): string {
  const top = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER
  if (top) return ` ${minimum ?? ''}–${maximum}`
  return typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? ` ≥ ${minimum}` : ''
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}

/** What one entry of a map is called on the page. */
function singular(path: string): string {
  const last = path.split('.').at(-1) ?? ''
  if (last === 'hosts') return 'role'
  if (last === 'hooks') return 'point'
  return last.replace(/s$/, '') || 'name'
}
