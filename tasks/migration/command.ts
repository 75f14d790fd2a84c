/**
 * Migrations of another tool, applied by its own command. What was applied is told by the tool itself (`check`), or by a row of ours in the
 * database that names the files it was run with; nothing else is believed. ADR 41.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandText, exitFailure } from '../exec/command-text.ts'
import { alwaysPassed } from '../exec/request.ts'
import { type TaskContext, TaskFailure } from '../kind.ts'
import type { Host, ProgramEnd } from '../ports.ts'
import { runOneOff } from '../rolling/one-off.ts'
import { openWhenUp, using } from './connection.ts'
import type { LookingContext, Migration, MigrationEngine, MigrationPlan, MigrationState } from './engine.ts'
import type { MigrationCommand, MigrationParams } from './params.ts'
import { selected } from './selection.ts'

/** @param id that of the tool: its migrations are one for us, and called the same. */
export function commandEngine(id: string): MigrationEngine {
  return { id, list: async (params, context) => [await migrationOf(params, context)], plan, apply }
}

async function plan(params: MigrationParams, context: LookingContext): Promise<MigrationPlan> {
  const migration = await migrationOf(params, context)
  const command = commandOf(params)
  const looked = async (): Promise<MigrationState> => {
    if (command.check) return (await runHere(command.check, params, context, () => {})).code === 0 ? 'applied' : 'pending'
    const open = await context.ports.database(params.database)
    return stateOf(migration, await using(open, context, () => open.applied()))
  }
  return { engine: params.engine, steps: selected([{ ...migration, state: await looked() }], params), foreign: [] }
}

async function apply(params: MigrationParams, context: TaskContext): Promise<readonly string[]> {
  const migration = await migrationOf(params, context)
  const command = commandOf(params)
  if (params.steps !== undefined) throw refused(params, `${params.engine} applies all that is pending: it cannot be told how many`)
  if (selected([migration], params).length === 0) return []
  await context.guard()
  if (command.check) {
    await runIt(command, params, context)
    if ((await runHere(command.check, params, context, () => {})).code === 0) return [migration.id]
    throw refused(params, `\`${commandText(command.argv)}\` ended well, and \`${commandText(command.check)}\` says that not all is applied`)
  }
  const open = await openWhenUp(params.database, params.waitSeconds, context)
  return using(open, context, () =>
    open.exclusively(async () => {
      if (stateOf(migration, await open.applied()) === 'applied') return []
      const releaseId = await context.ports.release.id()
      await runIt(command, params, context)
      await open.record({ id: migration.id, checksum: migration.checksum }, releaseId)
      return [migration.id]
    }),
  )
}

/** Other files than it was run with are for the tool to look at: that is no drift. */
function stateOf(migration: Migration, applied: readonly { readonly id: string; readonly checksum: string }[]): MigrationState {
  return applied.some(({ id, checksum }) => id === migration.id && checksum === migration.checksum) ? 'applied' : 'pending'
}

async function runIt(command: MigrationCommand, params: MigrationParams, context: TaskContext): Promise<void> {
  context.log(`running ${commandText(command.argv)}`)
  const end = command.container ? await runThere(command, params, context) : await runHere(command.argv, params, context, context.log)
  if (end.code !== 0 || end.signal !== undefined) throw new TaskFailure(exitFailure(`database \`${params.database}\``, command.argv, end))
}

/** The connection string is a variable of the program: nobody sees it in a list of processes. */
function runHere(argv: readonly string[], params: MigrationParams, { ports, signal }: LookingContext, onLine: (line: string) => void) {
  const { environment, programs, secrets, projectDirectory } = ports
  const { env, timeoutMs } = commandOf(params)
  const [program = '', ...rest] = argv
  const variables = {
    ...environment.matching([...alwaysPassed, 'HOME', ...env]),
    [params.connectionEnv]: secrets.get(params.connectionEnv),
  }
  return programs.run({ argv: [program, ...rest], cwd: projectDirectory, env: variables, timeoutMs }, onLine, signal)
}

/** In the release's image, with the variables of its service: the connection string is among them, in a file that only its owner reads. */
function runThere(
  { argv, env, timeoutMs, container: place }: MigrationCommand,
  params: MigrationParams,
  context: TaskContext,
): Promise<ProgramEnd> {
  if (!place) throw new Error(`${context.id} has no container to run in`)
  const { project, environment } = context.scope
  const container = `stagecraft-migrate-${project}-${environment}-${params.database}`
  const one = {
    ...{ subject: `database \`${params.database}\``, container, label: `migrations of ${project}`, command: argv, timeoutMs, locked: true },
    variables: context.ports.environment.matching(env),
    clear: (host: Host) => removeStopped(container, host, params),
    onLine: (line: string) => context.log(line),
  }
  return runOneOff(one, place, context)
}

/** A name is given once on a host: a container that runs under it is another run's, one that has ended is a left-over. */
async function removeStopped(container: string, host: Host, { database }: MigrationParams): Promise<void> {
  const end = await host.run({ argv: ['docker', 'container', 'rm', container], timeoutMs: 30_000 })
  if (end.code === 0 || /no such container/i.test(end.stderr)) return
  throw new TaskFailure({
    reason: 'lock-held',
    subject: `database \`${database}\``,
    message: `container ${container} already runs on ${host.name}: its migrations are being applied`,
    remedy: `wait until it has ended; if nobody started it any more: docker rm -f ${container}`,
  })
}

async function migrationOf(params: MigrationParams, { ports }: Pick<LookingContext, 'ports'>): Promise<Migration> {
  const { argv } = commandOf(params)
  const digest = createHash('sha256').update(JSON.stringify(argv))
  for (const path of await filesBelow(ports.projectDirectory, params.path)) {
    const bytes = await readFile(join(ports.projectDirectory, path))
    digest.update(`\0${path}\0${bytes.length}\0`).update(bytes)
  }
  return {
    ...{ id: params.engine, description: commandText(argv), tags: [] },
    ...{ source: `${params.engine}:${params.path}`, checksum: digest.digest('hex') },
  }
}

/** Project-relative, sorted. @throws TaskFailure when there is no such folder. */
async function filesBelow(projectDirectory: string, path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(projectDirectory, path), { withFileTypes: true, recursive: true })
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(projectDirectory.length + 1))
    return files.sort()
  } catch (error) {
    const message = `the migrations cannot be read: ${(error as Error).message}`
    throw new TaskFailure({ reason: 'missing-output', subject: path, message, remedy: `create ${path}` }, { cause: error })
  }
}

function commandOf({ command, engine }: MigrationParams): MigrationCommand {
  if (!command) throw new Error(`engine ${engine} was given no command`)
  return command
}

function refused({ database }: MigrationParams, message: string): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject: `database \`${database}\``, message })
}
