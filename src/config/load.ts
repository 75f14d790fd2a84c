/** From `stagecraft.yml` to a checked {@link Config}. Reading the file is the only effect. */
import { access, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Checked, Diagnostic, Json, Note } from '../../graph/types.ts'
import { builtInProviders, type Registries } from '../providers/built-in.ts'
import { checkSemantics } from './check.ts'
import type { Config, LoadedConfig } from './config.ts'
import { deepFreeze } from './deep-freeze.ts'
import { hasErrors, inOrder } from './diagnostic.ts'
import { wholeEdgeBlock } from './edge-block.ts'
import { checkEngineConfig } from './engine-config.ts'
import { isObject, valueAt } from './json-path.ts'
import { checkProviderBlock, openRoles } from './provider-blocks.ts'
import { readSource } from './read-source.ts'
import { manifest } from './schema.ts'
import { schemaProblems } from './schema-problems.ts'
import { withoutUnsupported } from './unsupported.ts'
import { parseYaml, type YamlTree } from './yaml-tree.ts'

export interface LoadOptions {
  /** How messages name the file; default the path as given. */
  readonly shownAs?: string
  /** Default: the built-in providers. */
  readonly registries?: Registries
}

/** Is there a manifest to load? @throws what the file system says other than "there is none". */
export async function configExists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw error
  }
}

/** Loads and checks a manifest: every problem at once, in the order of its lines. */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Checked<LoadedConfig>> {
  const file = options.shownAs ?? path
  const source = await readSource(path, file, () => otherSpellings(path))
  return source.ok ? parseConfig(source.value, resolve(path), { ...options, shownAs: file }) : source
}

/** Checks the text of a manifest. `path` is absolute; nothing is read. */
export function parseConfig(text: string, path: string, options: LoadOptions = {}): Checked<LoadedConfig> {
  const file = options.shownAs ?? path
  const registries = options.registries ?? builtInProviders()
  const { tree, problems: yamlProblems } = parseYaml(text, file)
  if (!tree) return { ok: false, diagnostics: inOrder(yamlProblems) }
  const checked = checkStructure(tree, registries)
  const found = [...yamlProblems, ...checked.problems]
  if (!checked.config) return { ok: false, diagnostics: inOrder(found) }
  const { locate, locateKey } = tree.places
  const loaded = {
    config: deepFreeze(checked.config),
    path,
    directory: dirname(path),
    file,
    source: tree.value,
    registries,
    locate,
    locateKey,
  }
  const diagnostics = inOrder([...found, ...checkSemantics(loaded)])
  if (hasErrors(diagnostics)) return { ok: false, diagnostics }
  return { ok: true, value: loaded, ...(diagnostics.length > 0 && { warnings: diagnostics }) }
}

/** The shape of every block. A config comes only from a faultless one, as rules across blocks need all of it. */
function checkStructure(tree: YamlTree, registries: Registries): { readonly config?: Config; readonly problems: readonly Diagnostic[] } {
  const { places } = tree
  const open = openRoles.filter((role) => registries[role].ids().length > 0)
  const { value: whole, problems: unsupported } = withoutUnsupported(tree.value, places, open)
  const problems: Diagnostic[] = [...unsupported]
  const value = isObject(whole) ? Object.fromEntries(Object.entries(whole).filter(([key]) => !open.some((role) => role === key))) : whole
  const parsed = manifest.safeParse(value)
  if (!parsed.success) problems.push(...schemaProblems(parsed.error.issues, { schema: manifest, value, at: [], places }))
  const blocks = (['backend', 'frontend', 'edge', ...open] as const).flatMap((role) => {
    if (!isObject(whole) || !Object.hasOwn(whole, role)) return []
    const written = role === 'edge' ? wholeEdgeBlock(whole[role] ?? null) : (whole[role] ?? null)
    const { block, problems: found } = checkProviderBlock(written, registries[role], places)
    problems.push(...found)
    return block ? [[role, block] as const] : []
  })
  problems.push(...checkEngineConfig(engineConfig(value), registries.migration, places))
  if (!parsed.success || problems.length > unsupported.length) return { problems }
  const { backend: _backend, frontend: _frontend, edge: _edge, ...rest } = parsed.data
  return { config: { ...rest, ...Object.fromEntries(blocks) }, problems }
}

function engineConfig(value: Json): Json | undefined {
  return valueAt(value, ['migrations', 'engine_config'])
}

/** What to do about an absent manifest. */
async function otherSpellings(path: string): Promise<Note[]> {
  const notes: Note[] = []
  for (const name of ['stagecraft.yaml', 'stagecraft.toml']) {
    const present = await access(join(dirname(path), name)).then(
      () => true,
      () => false,
    )
    if (present) notes.push({ message: `\`${name}\` is there, but only \`stagecraft.yml\` is read` })
  }
  const above = await manifestAbove(dirname(path))
  if (above !== undefined)
    notes.push({ message: `there is one in \`${above}\`: run it there, or with \`--config ${above}/stagecraft.yml\`` })
  return [...notes, { message: 'run `stagecraft init` to write one, or name another with `--config`' }]
}

/** The nearest folder above with a manifest, relative: it is not taken by itself, as names of tasks and paths would mean others than here. */
async function manifestAbove(folder: string): Promise<string | undefined> {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    const isThere = await access(join(above, 'stagecraft.yml')).then(
      () => true,
      () => false,
    )
    if (isThere) return relative(folder, above)
  }
  return undefined
}
