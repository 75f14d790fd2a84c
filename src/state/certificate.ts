/**
 * A certificate says: when everything here looks like this, `stagecraft run <targets>` has nothing to do. It is left by a run in which everything
 * ended well, and it lists all that the run's decisions rest on; so the same world leads to the same decisions, and none of them need be made again.
 * It says so of each task too, for the run that finds a part of the world changed (`vouching.ts`).
 * Read before anything else is loaded: `node:fs` only, and `node:crypto` when variables are compared, or targets are many.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processEnvironment } from '../programs/environment.ts'
import { decodeFrame } from './frame.ts'
import { isStamp, lookAt, stampLength } from './stamp.ts'

/** Raised with the meaning of what is below; eight bytes. */
export const certificateMark = 'SCcert2\n'

/** In the project's folder. */
export const certificatesFolder = join('.stagecraft', 'run', 'certificates')

export interface CertificateHead {
  /** Of the program that wrote it: another may decide otherwise. */
  readonly build: string
  readonly platform: string
  readonly targets: readonly string[]
  /** Names what the tasks were made from: the manifest, as one build reads it. */
  readonly definition: string
  readonly tasks: number
  /** Every task can be vouched for: only then may all of them be called up to date. */
  readonly isWhole: boolean
  /** Variables that enter fingerprints, by name or glob, and the digest of those that are set. */
  readonly variables: { readonly patterns: readonly string[]; readonly digest: string }
  /** The same of variables that hold secrets, under the project's key. */
  readonly secrets: { readonly names: readonly string[]; readonly digest: string }
  /** Relative to the project or absolute; `folder/.` is a folder as a list of names. Row by row the stamps in the frame. The manifest is the first. */
  readonly paths: readonly string[]
}

/** A certificate that was read, and speaks of these targets in these surroundings. */
export interface Certificate {
  readonly head: CertificateHead
  /** Of `head.paths`, row by row. */
  readonly stamps: Float64Array
  /** A line for each task (`task-lines.ts`), read when it is asked for. */
  lines(): string
}

/** A certificate, and how the world looked beside it a moment ago. */
export interface Look {
  readonly directory: string
  readonly certificate: Certificate
  /** Rows that looked otherwise. */
  readonly changed: ReadonlySet<number>
}

export interface Surroundings {
  readonly build: string
  /** The project's folder: that of the manifest. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Where the certificate of these targets is. It names them itself, so that two lists with one name only take each other's place. */
export function certificatePath(targets: readonly string[]): string {
  const name = Buffer.from(targets.join(' ')).toString('base64url')
  return join(certificatesFolder, name.length > longestName ? `.${crypto().createHash('sha256').update(name).digest('hex')}` : name)
}

/** Letters of a file's name: some file systems take no more than 143. */
const longestName = 140

/** The certificate of these targets, if it speaks of a run like this one. Never throws. */
export function readCertificate(targets: readonly string[], surroundings: Surroundings): Certificate | undefined {
  try {
    const frame = decodeFrame(certificateMark, readFileSync(join(surroundings.directory, certificatePath(targets))))
    const head = frame?.value as CertificateHead | undefined
    if (!frame || !head || !speaksOf(head, targets, surroundings)) return undefined
    if (frame.numbers.length !== head.paths.length * stampLength) return undefined
    return { head, stamps: frame.numbers, lines: () => frame.text }
  } catch {
    // None, damaged, or about something we may not look at: the whole program finds out and says so.
    return undefined
  }
}

/** Looks at all that a certificate rests on, so that a run need not look at it again. Undefined when there is none, or the manifest changed. */
export function lookAround(targets: readonly string[], surroundings: Surroundings): Look | undefined {
  const certificate = readCertificate(targets, surroundings)
  if (!certificate) return undefined
  const { directory } = surroundings
  const { head, stamps } = certificate
  const prefix = `${directory}/`
  const changed = new Set<number>()
  for (let row = 0; row < head.paths.length; row++) {
    const path = head.paths[row] as string
    if (!holds(stamps, row, path.startsWith('/') ? path : prefix + path)) changed.add(row)
    // Tasks that are defined otherwise are other tasks.
    if (changed.has(manifestRow)) return undefined
  }
  return { directory, certificate, changed }
}

/** How many tasks are up to date; undefined when that has to be found out. */
export function tasksUpToDate(look: Look | undefined): number | undefined {
  return look?.changed.size === 0 && look.certificate.head.isWhole ? look.certificate.head.tasks : undefined
}

const manifestRow = 0

/** Does a row still look as it did? False too where we may not look. */
export function holds(stamps: Float64Array, row: number, path: string): boolean {
  try {
    return isStamp(stamps, row, lookAt(path))
  } catch {
    return false
  }
}

/** Is it about a run like this one? @throws when secrets cannot be compared. */
export function speaksOf(head: CertificateHead, targets: readonly string[], { build, directory, env }: Surroundings): boolean {
  return (
    head.build === build &&
    head.platform === platform() &&
    head.targets.length === targets.length &&
    head.targets.every((target, index) => target === targets[index]) &&
    head.variables.digest === variablesDigest(head.variables.patterns, env) &&
    head.secrets.digest === secretsDigest(head.secrets.names, directory, env)
  )
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
