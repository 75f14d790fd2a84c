/** `stagecraft rollback`: a choice from the history, then the path of every deploy. Read top to bottom. */
import { TaskFailure } from '../../tasks/kind.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions, InputError } from '../contracts.ts'
import type { Release } from '../releases/release.ts'
import { chooseRollback, type RollbackChoice, type RollbackWish, rollbackCandidates } from '../releases/rollback-target.ts'
import { canAsk, openQuestions } from '../scaffold/questions.ts'
import { shortVersion } from '../ui/short-version.ts'
import { allReleases } from './all-releases.ts'
import { checkedValue } from './checked-value.ts'
import { openProject } from './open-project.ts'
import { reportFiles } from './report-files.ts'
import type { RunOptionsInput } from './run-options.ts'
import { runGraph } from './run-targets.ts'
import { showPlan } from './show-plan.ts'
import { targetGraph } from './targets.ts'

export interface RollbackInput extends RunOptionsInput {
  readonly toPrevious: boolean
  readonly toRelease?: string | undefined
  readonly to?: string | undefined
  readonly toVersion?: string | undefined
  readonly reason?: string | undefined
  readonly yes: boolean
}

const targets = ['deploy']

/** @throws InputError before anything is touched; what the world refuses is in the exit code. */
export async function rollBack(input: RollbackInput, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const wishes = wishesOf(input)
  const [wish] = wishes
  if (wish === undefined || wishes.length > 1) throw await notOne(wishes.length, globals, app)
  const { releases } = await allReleases(true, globals, app)
  const choice = checkedValue(chooseRollback(releases, globals.env ?? '', wish))
  const reason = input.reason?.trim()
  const order = { choice, releases, ...(reason ? { reason } : {}) }
  const project = await openProject(globals, app, { targets, rollback: order, writes: !globals.dryRun })
  const graph = checkedValue(targetGraph(targets, project.graph, project.pipelines))
  if (globals.dryRun) {
    const format = input.format === 'json' ? 'json' : 'text'
    return showPlan(graph, project, { format, online: true, force: () => false }, globals, app)
  }
  for (const notice of project.rollback?.notices ?? []) app.stderr.write(`note: ${notice}\n`)
  if (!input.yes && canAsk(app) && !(await isConfirmed(choice, globals.env ?? '', app))) {
    app.stderr.write('nothing was changed\n')
    return exitCodes.done
  }
  return runGraph(graph, project, reportFiles(input, app.cwd), { targets, ...input }, globals, app)
}

function wishesOf({ toPrevious, toRelease, to, toVersion }: RollbackInput): readonly RollbackWish[] {
  return [
    ...(toPrevious ? [{ by: 'previous' } as const] : []),
    ...[toRelease, to].flatMap((id) => (id === undefined ? [] : [{ by: 'release', id } as const])),
    ...(toVersion === undefined ? [] : [{ by: 'version', version: toVersion } as const]),
  ]
}

/** Somebody at a terminal is shown what there is to choose from. */
async function notOne(given: number, globals: GlobalOptions, app: App): Promise<InputError> {
  const what = given === 0 ? 'say where to go back to' : 'say where to go back to once'
  const message = `${what}: one of \`--to-previous\`, \`--to-release <id>\` and \`--to-version <version>\``
  const isShown = given === 0 && globals.env !== undefined && app.stderr.isTTY === true
  const notes = isShown ? (await candidates(globals, app)).map((line) => ({ message: line })) : []
  return new InputError([{ code: 'SC3150', severity: 'error', message, ...(notes.length > 0 ? { notes } : {}) }])
}

async function candidates(globals: GlobalOptions, app: App): Promise<readonly string[]> {
  try {
    const { releases } = await allReleases(true, globals, app)
    const environment = globals.env ?? ''
    const found = rollbackCandidates(releases, environment)
    const previous = chooseRollback(releases, environment, { by: 'previous' })
    const line = (release: Release) =>
      `${described(release)}, ${release.timestamp}${previous.ok && previous.value.target.id === release.id ? '  (--to-previous)' : ''}`
    return found.length === 0 ? [`${environment} has no release to go back to`] : found.slice(0, 10).map(line)
  } catch (error) {
    // Without the host there is still the message.
    if (error instanceof TaskFailure) return [error.failure.message]
    throw error
  }
}

async function isConfirmed({ target, current }: RollbackChoice, environment: string, app: App): Promise<boolean> {
  const questions = openQuestions(app)
  try {
    return await questions.confirm(`Roll ${environment} back${current ? ` from ${described(current)}` : ''} to ${described(target)}?`)
  } finally {
    questions.close()
  }
}

function described({ id, version }: Release): string {
  return `${shortVersion(version)} (${id})`
}
