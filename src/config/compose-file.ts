/**
 * The user's Compose file with all that it extends and includes, checked against the Compose specification's own schema and normalised,
 * never interpolated: what Compose would make of it stays Compose's business.
 */
import { access } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Checked, Diagnostic, Json, JsonObject, Location, Note } from '../../graph/types.ts'
import { normalService } from './compose-normal.ts'
import { composeProblems } from './compose-problems.ts'
import { loadModel } from './composing/include.ts'
import { createLibrary } from './composing/reference.ts'
import { locator, plain, type Sourced } from './composing/sourced.ts'
import { deepFreeze } from './deep-freeze.ts'
import { inOrder, problem } from './diagnostic.ts'
import { isObject, type JsonPath } from './json-path.ts'

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
  /** Absolute paths of other files that it is made from: extended, included, and their variables. Sorted. */
  readonly others: readonly string[]
  /** Sorted by name. */
  readonly services: readonly ComposeService[]
  /** `networks`, `volumes`, `configs`, `secrets` and `x-*`, those that are there. */
  readonly topLevel: JsonObject
  readonly locate: (path: JsonPath) => Location
  readonly locateKey: (path: JsonPath) => Location
}

/** Names Compose itself looks for, in its order. */
const usualNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

export interface ComposeOptions {
  /** How messages name the file; default its path. */
  readonly shownAs?: string
  /** Absolute folder of the project: other files must be in it. Default the file's own. */
  readonly projectDirectory?: string
}

/** Loads a Compose file and what it extends and includes: every problem at once, in the order of their lines. */
export async function loadCompose(path: string, options: ComposeOptions = {}): Promise<Checked<ComposeFile>> {
  return load(path, options)
}

/** Checks the text of a Compose file that is at `path`, or will be; absolute. What it extends and includes is read. */
export async function parseCompose(text: string, path: string, options: ComposeOptions = {}): Promise<Checked<ComposeFile>> {
  return load(path, options, text)
}

async function load(
  given: string,
  { shownAs = given, projectDirectory }: ComposeOptions,
  mainText?: string,
): Promise<Checked<ComposeFile>> {
  const path = resolve(given)
  const directory = dirname(path)
  const found: Diagnostic[] = []
  const library = createLibrary({
    ...{ path, shownAs, projectDirectory: projectDirectory ?? directory, ...(mainText !== undefined && { mainText }) },
    whenAbsent: () => otherNames(path),
    check: ({ value, places }) => composeProblems(value, places),
    report: (...diagnostics) => void found.push(...diagnostics),
  })
  const model = await loadModel({ files: [path], directory, chain: [] }, library)
  if (model) found.push(...emptyProblems(model))
  if (!model || found.length > 0) return { ok: false, diagnostics: inOrder(found) }
  const others = [...library.others].sort()
  return { ok: true, value: { path, directory, file: shownAs, others, ...deepFreeze(contents(plain(model))), ...locator(model) } }
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

function emptyProblems(model: Sourced): Diagnostic[] {
  const value = plain(model)
  if (!isObject(value)) return []
  const { services } = value
  const { locate } = locator(model)
  if (services === undefined) return [problem('SC1010', '`services` is required', locate([]))]
  if (!isObject(services) || Object.keys(services).length > 0) return []
  return [problem('SC1011', 'expected at least one service in services, found an empty map', locate(['services']))]
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
