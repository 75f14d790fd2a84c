/**
 * A certificate says: when everything here looks like this, `stagecraft run <targets>` has nothing to do. It is left by a run in which everything
 * ended well, and it lists all that the run's decisions rest on; so the same world leads to the same decisions, and none of them need be made again.
 * Read before anything else is loaded: `node:fs` only, and `node:crypto` when variables are compared.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processEnvironment } from '../programs/environment.ts'
import { decodeFrame } from './frame.ts'
import { isStamp, lookAt, stampLength } from './stamp.ts'

/** Raised with the meaning of what is below; eight bytes. */
export const certificateMark = 'SCcert1\n'

export interface CertificateHead {
  /** Of the program that wrote it: another may decide otherwise. */
  readonly build: string
  readonly platform: string
  readonly targets: readonly string[]
  readonly tasks: number
  /** Variables that enter fingerprints, by name or glob, and the digest of those that are set. */
  readonly variables: { readonly patterns: readonly string[]; readonly digest: string }
  /** The same of variables that hold secrets, under the project's key. */
  readonly secrets: { readonly names: readonly string[]; readonly digest: string }
  /** Relative to the project or absolute; `folder/.` is a folder as a list of names. Row by row the stamps in the frame. */
  readonly paths: readonly string[]
}

export interface Surroundings {
  readonly build: string
  /** The project's folder: that of the manifest. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The certificate of these targets; undefined for targets too long for the name of a file. */
export function certificatePath(targets: readonly string[]): string | undefined {
  const name = Buffer.from(targets.join(' ')).toString('base64url')
  return name.length > 200 ? undefined : join('.stagecraft', 'run', 'certificates', name)
}

/** @returns how many tasks are up to date, or undefined when that has to be found out. Never throws. */
export function tasksUpToDate(targets: readonly string[], surroundings: Surroundings): number | undefined {
  const path = certificatePath(targets)
  if (path === undefined) return undefined
  try {
    const frame = decodeFrame(certificateMark, readFileSync(join(surroundings.directory, path)))
    const head = frame?.value as CertificateHead | undefined
    if (!frame || !head || !speaksOf(head, targets, surroundings)) return undefined
    return everyStampHolds(head.paths, frame.numbers, surroundings.directory) ? head.tasks : undefined
  } catch {
    // None, damaged, or about something we may not look at: the whole program finds out and says so.
    return undefined
  }
}

function speaksOf(head: CertificateHead, targets: readonly string[], { build, directory, env }: Surroundings): boolean {
  return (
    head.build === build &&
    head.platform === platform() &&
    head.targets.length === targets.length &&
    head.targets.every((target, index) => target === targets[index]) &&
    head.variables.digest === variablesDigest(head.variables.patterns, env) &&
    head.secrets.digest === secretsDigest(head.secrets.names, directory, env)
  )
}

function everyStampHolds(paths: readonly string[], stamps: Float64Array, directory: string): boolean {
  if (stamps.length !== paths.length * stampLength) return false
  const prefix = `${directory}/`
  return paths.every((path, row) => isStamp(stamps, row, lookAt(path.startsWith('/') ? path : prefix + path)))
}

export function platform(): string {
  return `${process.platform}-${process.arch}`
}

/** Values are compared, not kept: some are nobody's business. */
export function variablesDigest(patterns: readonly string[], env: Surroundings['env']): string {
  if (patterns.length === 0) return ''
  return crypto()
    .createHash('sha256')
    .update(listed(processEnvironment(env).matching(patterns)))
    .digest('hex')
}

/** Under the project's key, which guards what little a secret has of surprise. @throws when there are secrets and no key. */
export function secretsDigest(names: readonly string[], directory: string, env: Surroundings['env']): string {
  if (names.length === 0) return ''
  const key = readFileSync(join(directory, '.stagecraft', 'project.key'))
  return crypto()
    .createHmac('sha256', key)
    .update(listed(processEnvironment(env).matching(names)))
    .digest('hex')
}

function listed(variables: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** Takes 4 ms to load, a sixth of a run that has nothing to do, and most have no variables to compare. */
function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
