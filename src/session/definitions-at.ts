/** How tasks were defined in an earlier commit: what was written there is checked and resolved as what is written here. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { canonicalJson } from '../../graph/canonical-json.ts'
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import { type Base, fileAt, type Repository } from '../affected/git.ts'
import { loadConfig } from '../config/load.ts'
import { type App, type GlobalOptions, InputError } from '../contracts.ts'
import { openProject, type Project } from './open-project.ts'

export interface DefinitionChanges {
  readonly changed: ReadonlySet<TaskId> | 'all'
  /** What a person should know: why all count as changed. */
  readonly note?: string
}

/** Which tasks of a graph are defined otherwise than at `base`. `paths`: what differs, project-relative. */
export async function changedDefinitions(
  graph: TaskGraph,
  project: Project,
  repository: Repository,
  base: Base,
  paths: readonly string[],
  globals: GlobalOptions,
  app: App,
): Promise<DefinitionChanges> {
  const manifest = inProject(project.directory, resolve(app.cwd, globals.config))
  const files = [manifest, ...definingFiles(graph, project)]
  // Nothing that defines tasks differs, so neither does a task.
  if (!files.some((path) => paths.includes(path))) return { changed: new Set() }
  if ((await fileAt(repository, base.commit, manifest)) === undefined)
    return { changed: 'all', note: `${manifest} did not exist at ${base.ref}` }
  const folder = await mkdtemp(join(tmpdir(), 'stagecraft-'))
  try {
    for (const path of new Set(files)) await copyAt(repository, base, path, folder)
    const before = await openBefore(graph, project, join(folder, manifest), globals, app)
    const known = new Map(before.order.map((id) => [id, definition(before.task(id))]))
    return { changed: new Set(graph.order.filter((id) => known.get(id) !== definition(graph.task(id)))) }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const [first] = error.diagnostics
    return {
      changed: 'all',
      note: `${manifest} at ${base.ref} cannot be used (${first?.message ?? 'no reason given'}), so every task counts as changed`,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** With the same options; of a project whose tasks need no environment, those that were there before. */
async function openBefore(graph: TaskGraph, project: Project, manifest: string, globals: GlobalOptions, app: App): Promise<TaskGraph> {
  const atBase = { ...globals, config: manifest }
  const options = { ...app, cwd: dirname(manifest) }
  if (project.deployment.environment !== '') return (await openProject(atBase, options, { version: project.release.version })).graph
  const loaded = await loadConfig(manifest, { shownAs: basename(manifest) })
  if (!loaded.ok) throw new InputError(loaded.diagnostics)
  const names = Object.keys(loaded.value.config.tasks).filter((name) => graph.order.includes(`exec:${name}` as TaskId))
  if (names.length === 0) return graph.only([])
  return (await openProject(atBase, options, { targets: names })).graph
}

/** All that a task is, but for where it is written. */
function definition({ origin: _, ...task }: Task): string {
  return canonicalJson(task)
}

/** Files besides the manifest that decide what tasks there are. Project-relative. */
function definingFiles(graph: TaskGraph, { directory, deployment, envFile }: Project): readonly string[] {
  const ignoreFiles = graph.order.flatMap((id) => {
    const { dockerignore } = (graph.task(id).params ?? {}) as { readonly dockerignore?: unknown }
    return typeof dockerignore === 'string' ? [dockerignore] : []
  })
  const compose =
    deployment.compose.file === ''
      ? []
      : [deployment.compose.file, ...(deployment.compose.others ?? [])].map((path) => inProject(directory, resolve(directory, path)))
  const env = envFile === undefined ? [] : [inProject(directory, envFile)]
  return [...compose, ...env, ...ignoreFiles]
}

function inProject(directory: string, absolute: string): string {
  return relative(directory, absolute).split(sep).join('/')
}

async function copyAt(repository: Repository, { commit }: Base, path: string, folder: string): Promise<void> {
  if (isAbsolute(path) || path.startsWith('../')) return
  const text = await fileAt(repository, commit, path)
  if (text === undefined) return
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}
