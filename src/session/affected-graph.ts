/** `--affected[=ref]`: what a run is left with, and what a person is told about it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../cache/foreign.ts'
import { taskGraph } from '../../graph/task-graph.ts'
import type { TaskGraph, TaskId } from '../../graph/types.ts'
import { kinds } from '../../tasks/index.ts'
import { affectWords, decideAffected, keptTasks } from '../affected/decide.ts'
import { changedPaths, findBase, openRepository } from '../affected/git.ts'
import type { App, GlobalOptions } from '../contracts.ts'
import { parseDockerignore } from '../files/dockerignore.ts'
import { isOwnFile } from '../files/file-set.ts'
import { runProcess } from '../hosts/process.ts'
import { shortName } from '../ui/task-name.ts'
import { changedDefinitions } from './definitions-at.ts'
import type { Project } from './open-project.ts'
import type { RunInput } from './run-targets.ts'

/** @throws InputError when there is nothing to compare with. */
export async function affectedGraph(
  graph: TaskGraph,
  project: Project,
  input: RunInput,
  globals: GlobalOptions,
  app: App,
): Promise<TaskGraph> {
  const repository = await openRepository(project.directory, runProcess, app.signal)
  const base = await findBase(repository, typeof input.affected === 'string' ? input.affected : undefined)
  const paths = (await changedPaths(repository, base)).filter((path) => !isOwnFile(path))
  const definitions = await changedDefinitions(graph, project, repository, base, paths, globals, app)
  const affected = decideAffected(graph, { paths, definitions: definitions.changed }, kinds, (path) => ignoreRules(project.directory, path))
  if (!globals.quiet) {
    const count = `${affected.size} of ${graph.order.length} tasks`
    const files = `${paths.length} ${paths.length === 1 ? 'file differs' : 'files differ'}`
    const lines = [`affected since ${base.ref} (${base.commit.slice(0, 7)}): ${count}; ${files}`]
    if (definitions.note !== undefined) lines.push(definitions.note)
    if (input.explain || globals.verbose || globals.dryRun)
      for (const [id, why] of affected) lines.push(`  ${shortName(id)}: ${affectWords(why)}`)
    app.stderr.write(`${lines.join('\n')}\n`)
  }
  return partOfGraph(graph, keptTasks(graph, affected, kinds))
}

/** Tasks that are left out were only to come first. */
function partOfGraph(graph: TaskGraph, kept: ReadonlySet<TaskId>): TaskGraph {
  const tasks = [...kept].map((id) => graph.task(id)).map((task) => ({ ...task, after: task.after.filter((before) => kept.has(before)) }))
  const checked = taskGraph(tasks)
  if (checked.ok) return checked.value
  throw new Error(`a part of a graph is no graph: ${checked.diagnostics.map(({ message }) => message).join('; ')}`)
}

function ignoreRules(directory: string, path: string): ReturnType<typeof parseDockerignore> | undefined {
  try {
    return parseDockerignore(readFileSync(join(directory, path), 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
