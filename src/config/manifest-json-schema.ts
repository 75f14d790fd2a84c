/**
 * The language of `stagecraft.yml` as JSON Schema (draft 7, which every editor's YAML support reads), made from the schema that manifests are checked
 * with: descriptions, defaults and patterns are written once. What functions check (durations, paths, rules across blocks) stays ours to check.
 */
import { z } from 'zod'
import type { Json, JsonObject } from '../../graph/types.ts'
import type { Registries } from '../providers/built-in.ts'
import { defaultEdgeProvider } from '../providers/edge/index.ts'
import type { Provider } from '../providers/provider.ts'
import type { ProviderRegistry } from '../providers/registry.ts'
import { isObject } from './json-path.ts'
import { shortFormsOf } from './schema/words.ts'
import { manifest } from './schema.ts'

/** The same text for the same registries: it is compared with the file that is shipped. */
export function manifestJsonSchema(registries: Registries): JsonObject {
  const { $schema, properties, ...rest } = jsonSchemaOf(manifest)
  const known = isObject(properties) ? properties : {}
  const migrations = isObject(known['migrations']) ? known['migrations'] : {}
  const { backend, frontend, edge, migration } = registries
  return {
    $schema: $schema ?? null,
    title: 'stagecraft.yml',
    ...rest,
    properties: {
      ...known,
      backend: { ...descriptionOf(known['backend']), ...blockSchema(backend) },
      frontend: { ...descriptionOf(known['frontend']), ...blockSchema(frontend) },
      edge: { ...descriptionOf(known['edge']), anyOf: [{ enum: edge.ids() }, blockSchema(edge, defaultEdgeProvider), { type: 'null' }] },
      migrations: { ...migrations, properties: { ...membersOf(migrations), engine_config: engineConfigSchema(migration, migrations) } },
    },
  }
}

/** As it is printed and shipped. */
export function manifestSchemaText(registries: Registries): string {
  return `${JSON.stringify(manifestJsonSchema(registries), null, 2)}\n`
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // Said again by `properties`, and by a pattern where there is one.
      if (isPlainText(jsonSchema.propertyNames)) delete jsonSchema.propertyNames
      // zod leaves out what is said of a value that is still transformed: here it is about what people write.
      const examples = z.globalRegistry.get(zodSchema)?.['examples']
      if (Array.isArray(examples)) jsonSchema.examples = examples
      const { type, defaultValue } = zodSchema._zod.def as { readonly type: string; readonly defaultValue?: unknown }
      if (type === 'default') jsonSchema.default = defaultValue as typeof jsonSchema.default
      const also = shortFormsOf(zodSchema)
      if (also === undefined || jsonSchema.anyOf?.some((one) => Object.hasOwn(one as object, 'x-short'))) return
      const { description: _, default: __, examples: ___, ...whole } = jsonSchema
      for (const key of Object.keys(whole)) delete jsonSchema[key]
      const short = also.map((one) => ({ ...withoutHead(jsonSchemaOf(one)), 'x-short': true }))
      Object.assign(jsonSchema, { anyOf: [whole, ...short] })
    },
  })
  return withoutMarks(JSON.parse(JSON.stringify(made)) as Json) as JsonObject
}

function isPlainText(names: unknown): boolean {
  return JSON.stringify(names) === '{"type":"string"}'
}

function withoutHead({ $schema: _, ...schema }: JsonObject): JsonObject {
  return schema
}

/** Takes away what only {@link jsonSchemaOf} reads. */
function withoutMarks(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutMarks)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'x-short')
      .map(([key, member]) => [key, withoutMarks(member)]),
  )
}

/** A provider block: the selected entry is checked, others are let be. `fallback` is the provider of a block that names none. */
function blockSchema(registry: ProviderRegistry<Provider>, fallback?: string): JsonObject {
  const branches = registry.list().map(({ id, config, summary }) => {
    const entry = withoutHead(jsonSchemaOf(config))
    return {
      type: 'object',
      properties: {
        provider: { description: 'The provider that is used.', const: id, ...(id === fallback && { default: id }) },
        providers: {
          description: 'Settings by provider; only those of the selected one are read.',
          type: 'object',
          properties: { [id]: { description: `Settings of \`${id}\`: ${summary}.`, anyOf: [entry, { type: 'null' }] } },
          ...(fallback === undefined && { required: [id] }),
        },
      },
      ...(fallback === undefined ? { required: ['provider', 'providers'] } : id === fallback ? {} : { required: ['provider'] }),
      additionalProperties: false,
    }
  })
  return { anyOf: branches }
}

function engineConfigSchema(registry: ProviderRegistry<Provider>, migrations: JsonObject): JsonObject {
  return {
    ...descriptionOf(membersOf(migrations)['engine_config']),
    type: 'object',
    properties: Object.fromEntries(
      registry
        .list()
        .map(({ id, summary, config }) => [
          id,
          { description: `Of the engine \`${id}\`: ${summary}.`, ...withoutHead(jsonSchemaOf(config)) },
        ]),
    ),
    additionalProperties: false,
  }
}

function membersOf(schema: JsonObject): JsonObject {
  return isObject(schema['properties']) ? schema['properties'] : {}
}

function descriptionOf(schema: Json | undefined): JsonObject {
  const description = isObject(schema) ? schema['description'] : undefined
  return description === undefined ? {} : { description }
}
