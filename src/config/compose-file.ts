/**
 * The user's Compose file, checked against the Compose specification's own schema and normalised, never interpolated: what
 * Compose would make of it stays Compose's business.
 */
import { access } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Checked, Diagnostic, Json, JsonObject, Location, Note } from '../../graph/types.ts'
import { normalService } from './compose-normal.ts'
import { composeProblems } from './compose-problems.ts'
import { deepFreeze } from './deep-freeze.ts'
import { inOrder, problem } from './diagnostic.ts'
import { isObject, type JsonPath } from './json-path.ts'
import type { Places } from './locate.ts'
import { readSource } from './read-source.ts'
import { parseYaml } from './yaml-tree.ts'

export interface ComposeService {
  readonly name: string
  /** `environment`, `build` and `depends_on` as maps; the rest as written, anchors and merge keys resolved. */
  readonly definition: JsonObject
}

export interface ComposeFile {
  /** Absolute. */
  readonly path: string
  /** Absolute folder that the file's relative paths start from. */
  readonly directory: string
  /** As messages name it. */
  readonly file: string
  /** Sorted by name. */
  readonly services: readonly ComposeService[]
  /** `networks`, `volumes`, `configs`, `secrets` and `x-*`, those that are there. */
  readonly topLevel: JsonObject
  readonly locate: (path: JsonPath) => Location
  readonly locateKey: (path: JsonPath) => Location
}

/** Names Compose itself looks for, in its order. */
const usualNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

/** Loads a Compose file: every problem at once, in the order of its lines. `shownAs` is how messages name it. */
export async function loadCompose(path: string, shownAs = path): Promise<Checked<ComposeFile>> {
  const source = await readSource(path, shownAs, () => otherNames(path))
  return source.ok ? await parseCompose(source.value, resolve(path), shownAs) : source
}

/** Checks the text of a Compose file. `path` is absolute; nothing of the user's is read. */
export async function parseCompose(text: string, path: string, shownAs = path): Promise<Checked<ComposeFile>> {
  const { tree, problems: yamlProblems } = parseYaml(text, shownAs)
  if (!tree) return { ok: false, diagnostics: inOrder(yamlProblems) }
  const { value, places } = tree
  const diagnostics = inOrder([...yamlProblems, ...(await composeProblems(value, places)), ...emptyProblems(value, places)])
  if (diagnostics.length > 0) return { ok: false, diagnostics }
  const { locate, locateKey } = places
  return { ok: true, value: { path, directory: dirname(path), file: shownAs, ...deepFreeze(contents(value)), locate, locateKey } }
}

function contents(value: Json): Pick<ComposeFile, 'services' | 'topLevel'> {
  const top = isObject(value) ? value : {}
  const services = Object.entries(isObject(top['services']) ? top['services'] : {}).map(([name, definition]) => ({
    name,
    definition: normalService(isObject(definition) ? definition : {}),
  }))
  const kept = Object.entries(top).filter(([key]) => ['networks', 'volumes', 'configs', 'secrets'].includes(key) || key.startsWith('x-'))
  return { services: services.sort((a, b) => (a.name < b.name ? -1 : 1)), topLevel: Object.fromEntries(kept) }
}

function emptyProblems(value: Json, places: Places): Diagnostic[] {
  if (!isObject(value)) return []
  const { services } = value
  if (services === undefined) return [problem('SC1010', '`services` is required', places.locate([]))]
  if (!isObject(services) || Object.keys(services).length > 0) return []
  return [problem('SC1011', 'expected at least one service in services, found an empty map', places.locate(['services']))]
}

async function otherNames(path: string): Promise<Note[]> {
  const notes: Note[] = []
  for (const name of usualNames.filter((usual) => usual !== basename(path))) {
    const present = await access(join(dirname(path), name)).then(
      () => true,
      () => false,
    )
    if (present) notes.push({ message: `\`${name}\` is there: set \`project.compose_file\` to use it` })
  }
  return notes
}
