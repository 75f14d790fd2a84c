/** `stagecraft migrate preflight`: what pending migrations may do to a database in use. Looks at files and, unless told not to, the ledger. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { TaskId } from '../../../graph/types.ts'
import type { MigrateParams } from '../../../tasks/migrate.ts'
import { engineOf } from '../../../tasks/migration/engines.ts'
import { parseMigration, readMigrations } from '../../../tasks/migration-files.ts'
import type { MigrationFile } from '../../../tasks/ports.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../../contracts.ts'
import { type LockRisk, lockRisks, readinessScore } from '../../databases/lock-risks/lock-risks.ts'
import { openWorld } from '../../session/open-world.ts'
import { openMigrations } from './open.ts'
import type { PreflightInput } from './options.ts'
import { preflightJson, preflightText } from './preflight-text.ts'

export interface CheckedSet {
  /** Undefined for files that were named. */
  readonly database?: string
  /** Project-relative; what the names of the files are below. */
  readonly path: string
  readonly files: readonly string[]
  readonly risks: readonly LockRisk[]
  readonly score: number
}

/** @returns 1 when a risk is high, or with `--min-score` when the score is less. @throws InputError */
export async function preflight(input: PreflightInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const sets = input.files.length > 0 ? [await namedFiles(input, app)] : await pendingFiles(input, globals, app)
  app.stdout.write(input.format === 'json' ? preflightJson(sets) : preflightText(sets))
  const { minScore } = input
  const isBad = ({ risks, score }: CheckedSet) =>
    minScore === undefined ? risks.some(({ severity }) => severity === 'high') : score < minScore
  return sets.some(isBad) ? exitCodes.input : exitCodes.done
}

/** Neither a manifest nor an environment is asked for. */
async function namedFiles({ files: names, strategy }: PreflightInput, app: App): Promise<CheckedSet> {
  const files = await Promise.all(
    names.map(async (name) => {
      try {
        return parseMigration(name, await readFile(resolve(app.cwd, name)))
      } catch (error) {
        const message = `${name} cannot be read: ${(error as Error).message}`
        throw new InputError([{ code: 'SC3065', severity: 'error', message }])
      }
    }),
  )
  return checkedSet(files, '', strategy !== 'post_deploy')
}

async function pendingFiles(input: PreflightInput, globals: GlobalOptions, app: App): Promise<readonly CheckedSet[]> {
  const { project, graph } = await openMigrations(input, {}, { ...globals, dryRun: true }, app)
  const chosen = project.deployment.databases.filter(({ name }) => graph.order.includes(`migrate:${name}` as TaskId))
  const foreign = chosen.filter(({ engine }) => engine !== 'raw')
  if (foreign.length > 0 && (foreign.length === chosen.length || input.database !== undefined)) {
    throw new InputError(
      foreign.map(({ name, engine }) => ({
        code: 'SC3064',
        severity: 'error',
        message: `\`${name}\` is migrated by ${engine}: name its SQL files instead, \`stagecraft migrate preflight <file…>\``,
      })),
    )
  }
  const world = await openWorld(project, app, { graph, online: !input.all, writes: false })
  try {
    const sets: CheckedSet[] = []
    for (const target of chosen.filter(({ engine }) => engine === 'raw')) {
      const files = await readMigrations(project.directory, target.path)
      const params = graph.task(`migrate:${target.name}` as TaskId).params as unknown as MigrateParams
      const context = { ports: world.forPlan.ports, needs: new Map(), signal: app.signal, log: () => {} }
      const due = input.all ? undefined : await engineOf('raw').plan(params, context)
      const isDue = ({ id }: MigrationFile) => due === undefined || due.steps.some((step) => step.id === id && step.state === 'pending')
      sets.push({ ...checkedSet(files.filter(isDue), target.path, target.strategy !== 'post_deploy'), database: target.name })
    }
    return sets
  } finally {
    await world.close()
  }
}

function checkedSet(files: readonly MigrationFile[], path: string, isBeforeRollout: boolean): CheckedSet {
  const risks = lockRisks(files, isBeforeRollout)
  return { path, files: files.map(({ id }) => id), risks, score: readinessScore(risks) }
}
