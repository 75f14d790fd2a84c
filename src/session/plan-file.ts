/** The file of a plan, and what is refused of it before anything is looked at. */
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type App, type GlobalOptions, InputError } from '../contracts.ts'
import { readSavedPlan, renderSavedPlan, type SavedPlan } from '../plans/saved-plan.ts'
import type { RunInput } from './run-targets.ts'

/** Whole or not at all. @throws InputError when it cannot be written. */
export async function writePlan(file: string, plan: SavedPlan, redact: (text: string) => string, app: App): Promise<void> {
  const path = resolve(app.cwd, file)
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, renderSavedPlan(plan, redact), { flag: 'wx' })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw refused('SC3070', `the plan could not be written to ${file}: ${(error as Error).message}`)
  }
}

/** @throws InputError for what is no plan, one of another version of the format, or one that was changed. */
export async function readPlan(file: string, app: App): Promise<SavedPlan> {
  let text: string
  try {
    text = await readFile(resolve(app.cwd, file), 'utf8')
  } catch (error) {
    throw refused('SC3070', `the plan could not be read: ${(error as Error).message}`)
  }
  const read = readSavedPlan(text)
  if (read.ok) return read.plan
  throw refused(read.problem === 'changed' ? 'SC3072' : 'SC3071', `${file} ${read.why}`)
}

/**
 * A deploy of a plan is the one that was planned: its words are in the file.
 * @throws InputError for words beside it that say something else.
 */
export function wordsOf(file: string, plan: SavedPlan, given: RunInput, { env }: GlobalOptions): RunInput {
  if (env !== undefined && env !== plan.environment)
    throw refused('SC3073', `${file} is a plan for ${plan.environment}, and \`--env\` (or STAGECRAFT_ENV) says ${env}`)
  const flags = { version: given.version, force: given.force, host: given.host, role: given.role, services: given.services }
  const others = Object.entries({ ...flags, 'allow-unreachable': given.allowUnreachable || undefined }).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [`--${name}`],
  )
  if (others.length > 0)
    throw refused('SC3074', `${others.join(', ')} cannot be given with \`--plan\`: what is deployed, and where, is in the plan`)
  const { version, host, role, services, allow_unreachable: allowUnreachable } = plan.options
  return { ...given, version, host, role, services, allowUnreachable, saved: { plan, file } }
}

export function refused(code: `SC${number}`, message: string, notes: readonly string[] = []): InputError {
  const lines = notes.length === 0 ? {} : { notes: notes.map((note) => ({ message: note })) }
  return new InputError([{ code, severity: 'error', message, ...lines }])
}
