/** `stagecraft releases unlock`: who holds the environment on each host, and away with those who are gone. */
import { randomUUID } from 'node:crypto'
import type { Failure } from '../../../graph/types.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { actorOf } from '../../audit/actor.ts'
import { createAudit } from '../../audit/audit.ts'
import { type App, type ExitCode, exitCodes } from '../../contracts.ts'
import type { LockLook } from '../../hosts/lock.ts'
import type { HeldLock } from '../../hosts/lock-held.ts'
import { canAsk, openQuestions } from '../../scaffold/questions.ts'
import { describeRun } from '../../session/hosts.ts'
import { renderTable } from '../../ui/table.ts'
import type { Answer, Fleet } from '../fleet.ts'

export interface UnlockOptions {
  /** Take it from a holder who shows life, too. */
  readonly force: boolean
  readonly yes: boolean
  readonly dryRun: boolean
  readonly format: 'text' | 'json'
}

/** What became of one host. */
export interface Unlocked {
  readonly host: string
  readonly lock?: LockLook
  readonly state: 'unlocked' | 'alive' | 'freed' | 'would be freed' | 'failed'
  readonly failure?: Failure
}

/** @returns 0 when no lock is left, 2 when one is, 10 when some are. */
export async function unlock(fleet: Fleet, options: UnlockOptions, app: App): Promise<ExitCode> {
  const looked = (await fleet.ask((host) => fleet.lock(host.name).look())).map((answer) => planned(answer, options))
  const wanted = looked.filter(({ state }) => state === 'would be freed')
  const isWanted = wanted.length > 0 && !options.dryRun && (options.yes || !canAsk(app) || (await isConfirmed(wanted, app)))
  const results = isWanted ? await freeAll(looked, fleet, options, app) : looked
  app.stdout.write(
    options.format === 'json' ? `${JSON.stringify({ hosts: results }, null, 2)}\n` : text(results, fleet.deployment.environment),
  )
  for (const line of advice(results, options)) app.stderr.write(`${line}\n`)
  return codeOf(results)
}

function planned(answer: Answer<LockLook | undefined>, { force }: UnlockOptions): Unlocked {
  if (!answer.ok) return { host: answer.name, state: 'failed', failure: answer.failure }
  const { name: host, value: lock } = answer
  if (lock === undefined) return { host, state: 'unlocked' }
  return { host, lock, state: lock.isAlive && !force ? 'alive' : 'would be freed' }
}

/**
 * Taken over first, by the rules of the lock, and then given back: the fence goes up under whoever held it, so that nobody who wakes up
 * writes again. The primary host's is kept to the last, for the audit.
 */
async function freeAll(looked: readonly Unlocked[], fleet: Fleet, { force }: UnlockOptions, app: App): Promise<readonly Unlocked[]> {
  const run = { owner: randomUUID(), description: `${describeRun(app)} (unlock)` }
  const { primaryHost } = fleet.deployment
  const results: Unlocked[] = []
  let primary: HeldLock | undefined
  for (const one of looked) {
    if (one.state !== 'would be freed') {
      results.push(one)
      continue
    }
    try {
      const held = await fleet.lock(one.host).acquire(run, force)
      if (one.host === primaryHost) primary = held
      else await held.release()
      results.push({ ...one, state: 'freed' })
    } catch (error) {
      if (!(error instanceof TaskFailure) || app.signal.aborted) throw error
      results.push({ ...one, state: error.failure.reason === 'lock-held' ? 'alive' : 'failed', failure: error.failure })
    }
  }
  await record(results, primary, run, fleet, app)
  return results
}

async function record(
  results: readonly Unlocked[],
  held: HeldLock | undefined,
  run: { readonly owner: string; readonly description: string },
  fleet: Fleet,
  app: App,
): Promise<void> {
  const freed = results.filter(({ state }) => state === 'freed')
  const { primaryHost } = fleet.deployment
  if (freed.length === 0 || primaryHost === undefined) return held?.release()
  const warn = (message: string) => void app.stderr.write(`warning: ${message}\n`)
  const detail = freed.map(({ host, lock }) => `${host} from ${lock?.holder}${lock?.isAlive ? ', which showed life' : ''}`).join('; ')
  try {
    const lock = held ?? (await fleet.lock(primaryHost).acquire(run))
    const audit = createAudit(() => fleet.appendOnly(primaryHost), { who: actorOf(app.env), redact: (said) => said, warn })
    await audit.append({ what: 'unlock', result: results.every(({ state }) => state !== 'alive') ? 'done' : 'partial', detail })
    await lock.release()
  } catch (error) {
    if (!(error instanceof TaskFailure)) throw error
    warn(`the audit was not written: ${error.failure.message}`)
  }
}

async function isConfirmed(wanted: readonly Unlocked[], app: App): Promise<boolean> {
  app.stderr.write(table(wanted))
  const questions = openQuestions(app)
  try {
    return await questions.confirm(`Free ${wanted.map(({ host }) => host).join(', ')}?`)
  } finally {
    questions.close()
  }
}

function text(results: readonly Unlocked[], environment: string): string {
  return results.every(({ state }) => state === 'unlocked') ? `${environment} is not locked\n` : table(results)
}

function table(results: readonly Unlocked[]): string {
  return renderTable(
    ['HOST', 'HELD BY', 'SINCE', 'SILENT FOR', 'STATE'],
    results.map(({ host, lock, state, failure }) => [
      host,
      lock?.holder ?? '',
      lock?.startedAt ?? '',
      lock === undefined ? '' : `${Math.round(lock.silentSeconds)} s`,
      state === 'failed' ? (failure?.message ?? '') : state,
    ]),
  )
}

function advice(results: readonly Unlocked[], { dryRun }: UnlockOptions): string[] {
  const alive = results.filter(({ state }) => state === 'alive').map(({ host }) => host)
  if (alive.length === 0 || dryRun) return []
  return [`the holder on ${alive.join(', ')} shows life: wait for it, end it, or take the lock from it with --force`]
}

function codeOf(results: readonly Unlocked[]): ExitCode {
  const left = results.filter(({ state }) => state === 'alive' || state === 'failed').length
  if (left === 0) return exitCodes.done
  return results.some(({ state }) => state === 'freed') ? exitCodes.partial : exitCodes.world
}
