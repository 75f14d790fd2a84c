/** The graph of a migration command: one task for each database, and what those run in a container of the release need. */
import { taskGraph } from '../../../graph/task-graph.ts'
import type { TaskGraph } from '../../../graph/types.ts'
import { type App, type GlobalOptions, InputError } from '../../contracts.ts'
import { aloneTask, type MigrationChoice } from '../../pipelines/migrate-tasks.ts'
import { checkedValue } from '../../session/checked-value.ts'
import { openProject, type Project } from '../../session/open-project.ts'
import { chosenDatabases, type DatabaseWords } from './choice.ts'

export interface OpenMigrations {
  readonly project: Project
  readonly graph: TaskGraph
}

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** @throws InputError with every problem of the manifest, or of what was asked for. */
export async function openMigrations(
  words: DatabaseWords,
  choice: Given<MigrationChoice>,
  globals: GlobalOptions,
  app: App,
): Promise<OpenMigrations> {
  const project = await openProject(globals, app, { targets: ['migrate'], writes: !globals.dryRun })
  const { deployment } = project
  const chosen = chosenDatabases(deployment.databases, words, deployment.environment)
  if (!chosen.ok) throw new InputError(chosen.diagnostics)
  const given = Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined)) as MigrationChoice
  const alone = chosen.value.map((database) => aloneTask(database, deployment, given))
  // What a deploy would do after its own migrations, these need not wait for.
  const isMigration = (id: string) => id.startsWith('migrate_')
  const others = project.graph.order
    .map((id) => project.graph.task(id))
    .filter(({ id }) => !isMigration(id))
    .map((task) => ({ ...task, after: task.after.filter((id) => !isMigration(id)) }))
  const graph = checkedValue(taskGraph([...others, ...alone])).only(alone.map(({ id }) => id))
  return { project: { ...project, graph, targets: ['migrate'] }, graph }
}
