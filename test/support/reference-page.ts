/** docs/reference/configuration.md, from the JSON Schema of the manifest. */
import type { Json, JsonObject } from '../../graph/types.ts'
import { type SchemaRow, schemaRows } from './schema-rows.ts'

const head = `# stagecraft.yml

Every key of the manifest: its type, its default, what it means, and what it may look like. This page and
[the JSON Schema](stagecraft.schema.json) are generated from the schema that manifests are checked with; \`stagecraft config show --env <name>\` prints what
holds in an environment and which line says so. How the rules work together: [configuration](../../spec/core/config.md).

An unknown key is an error. \`<service>\` and the like stand for names of yours, \`[]\` for each entry of a list. Durations are written \`90s\`, \`10m\` or
\`1h30m\`, sizes \`500MB\` or \`2GiB\`. For editors that know the YAML language server, the first line of a manifest that \`stagecraft init\` writes leads to the
schema; \`stagecraft config schema\` prints it.
`

/** The whole page. */
export function referencePage(schema: JsonObject): string {
  const rows = schemaRows(schema)
  const tops = rows.filter(({ path }) => !/[.[]/.test(path))
  const sections = tops.map((top) => {
    const below = rows.filter(({ path }) => path.startsWith(`${top.path}.`) || path.startsWith(`${top.path}[`))
    const required = top.required ? ' Required.' : ''
    const type = `Type: ${cell(top.type)}.${required}`
    const same = top.sameAs === undefined ? '' : ` Keys as in \`${top.sameAs}\`.`
    const table =
      below.length === 0 ? [] : ['', '| key | type | default | meaning | example |', '|---|---|---|---|---|', ...below.map(line)]
    return ['', `## ${top.path}`, '', `${top.description ?? ''} ${type}${same}${example(top)}`, ...table].join('\n')
  })
  return `${head}${sections.join('\n')}\n`
}

function example({ path, example: value }: SchemaRow): string {
  return value === undefined ? '' : ` Example: \`${path}: ${yaml(value)}\`.`
}

function line({ path, type, required, fallback, description = '', example: value, sameAs }: SchemaRow): string {
  const standard = required ? 'required' : fallback === undefined || isEmpty(fallback) ? '' : `\`${yaml(fallback)}\``
  const meaning = sameAs === undefined ? description : `${description} Keys as in \`${sameAs}\`.`
  return `| \`${path}\` | ${cell(type)} | ${cell(standard)} | ${cell(meaning)} | ${value === undefined ? '' : `\`${cell(yaml(value))}\``} |`
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** In a table a bar ends the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** One line of YAML. */
function yaml(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(yaml).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, member]) => `${key}: ${yaml(member)}`)
      .join(', ')} }`
  return typeof value === 'string' && !/^[A-Za-z./~][\w./:@~-]*$/.test(value) ? JSON.stringify(value) : String(value)
}
