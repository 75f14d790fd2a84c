import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Location } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import type { Secrets } from '../../tasks/ports.ts'
import { InputError } from '../contracts.ts'
import { createDetector, createRedactor } from './redact.ts'

export interface SecretsOptions {
  /** Absolute path of a dotenv file on this machine. */
  readonly envFile?: string
  /** The line that names it. */
  readonly envFileOrigin?: Location
  /** Names of secrets; `file:<path>` stands for the content of a file, counted from the project. */
  readonly names: readonly string[]
  /** Overrides the file, for declared names only: the rest of it is nobody's business (D28). */
  readonly processEnv: Readonly<Record<string, string | undefined>>
  readonly projectDirectory: string
  /** The project's key: `loadProjectKey`. */
  readonly key: string
  /** `given` are values that others in the file refer to in place of the file's own. */
  readonly parseDotenv: (text: string, given: Readonly<Record<string, string | undefined>>) => Readonly<Record<string, string>>
}

export interface LoadedSecrets extends Secrets {
  /** Hides every value that was loaded, whether it was declared or not, in any text. */
  redact(text: string): string
  /** Is one of these values in it? */
  isIn(text: string): boolean
}

/** @throws InputError when `envFile` is not there or cannot be read. @throws TaskFailure for a secret's file that cannot be read. */
export async function loadSecrets(options: SecretsOptions): Promise<LoadedSecrets> {
  const names = [...new Set(options.names)].sort()
  const fromFile = options.envFile === undefined ? {} : await readEnvFile(options.envFile, names, options)
  const values = new Map<string, string>()
  for (const name of names) {
    const value = isFile(name)
      ? await readSecretFile(name, options.projectDirectory)
      : (options.processEnv[name] ?? (Object.hasOwn(fromFile, name) ? fromFile[name] : undefined))
    if (value !== undefined) values.set(name, value)
  }
  const known = [...values.values(), ...Object.values(fromFile)]
  return {
    names,
    get: (name) => {
      const value = values.get(name)
      if (value === undefined) throw notSet(name, names.includes(name), options.envFile)
      return value
    },
    digest: (name) => {
      const value = values.get(name)
      return value === undefined ? 'absent' : createHmac('sha256', options.key).update(`${name}\0${value}`).digest('hex')
    },
    redact: createRedactor(known),
    isIn: createDetector(known),
  }
}

async function readEnvFile(
  path: string,
  names: readonly string[],
  { parseDotenv, processEnv, envFileOrigin: location }: SecretsOptions,
): Promise<Readonly<Record<string, string>>> {
  try {
    return parseDotenv(await readFile(path, 'utf8'), Object.fromEntries(names.map((name) => [name, processEnv[name]])))
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const message = isAbsent ? `env_file \`${path}\` does not exist` : `env_file \`${path}\` cannot be read: ${(error as Error).message}`
    throw new InputError([{ code: 'SC1090', severity: 'error', message, ...(location ? { location } : {}) }])
  }
}

function isFile(name: string): boolean {
  return name.startsWith('file:')
}

async function readSecretFile(name: string, projectDirectory: string): Promise<string | undefined> {
  const written = name.slice('file:'.length)
  const path = written.startsWith('~/') ? join(homedir(), written.slice(2)) : resolve(projectDirectory, written)
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const message = `the secret's file cannot be read: ${(error as Error).message}`
    throw new TaskFailure({ reason: 'refused', subject: path, message }, { cause: error })
  }
}

function notSet(name: string, isDeclared: boolean, envFile: string | undefined): TaskFailure {
  if (isFile(name)) {
    const path = name.slice('file:'.length)
    return new TaskFailure({
      reason: 'refused',
      subject: path,
      message: 'the file of a secret does not exist',
      remedy: `create ${path}`,
    })
  }
  const where = envFile === undefined ? 'the environment' : `the environment or in ${envFile}`
  return new TaskFailure({
    reason: 'refused',
    subject: name,
    message: isDeclared ? `\`${name}\` is not set` : `\`${name}\` is not a declared secret`,
    remedy: isDeclared ? `set ${name} in ${where}` : `declare ${name} in the manifest`,
  })
}
