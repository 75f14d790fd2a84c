/**
 * The key under which secrets are reduced to digests: 32 random bytes per project, so that a fingerprint that travels in a
 * shared cache cannot be guessed back to a password. Machines that are to agree on what is fresh must share it.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TaskFailure } from '../../tasks/kind.ts'
import { InputError } from '../contracts.ts'

const keyPattern = /^[0-9a-f]{64}$/

export interface ProjectKeyOptions {
  /** Folder of the manifest. */
  readonly projectDirectory: string
  /** For STAGECRAFT_PROJECT_KEY, which beats the file. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The project's key, 64 hexadecimal digits; made on first use.
 * @throws InputError when the variable does not hold a key. @throws TaskFailure when the file does not, or cannot be written.
 */
export async function loadProjectKey({ projectDirectory, env }: ProjectKeyOptions): Promise<string> {
  const given = env['STAGECRAFT_PROJECT_KEY']
  if (given) {
    const key = given.trim().toLowerCase()
    if (keyPattern.test(key)) return key
    const message = '`STAGECRAFT_PROJECT_KEY` does not hold a project key: expected 64 hexadecimal digits'
    throw new InputError([{ code: 'SC5101', severity: 'error', message, notes: [{ message: 'copy it from `.stagecraft/project.key`' }] }])
  }
  const path = keyPath(projectDirectory)
  return (await readKey(path)) ?? (await createKey(path))
}

/** Keeps a key fetched from a host as this machine's. @returns whether that changed anything. @throws TaskFailure as {@link loadProjectKey}. */
export async function adoptProjectKey(projectDirectory: string, key: string): Promise<boolean> {
  if (!keyPattern.test(key)) throw unusable('the key that was fetched', 'fetch it again, or remove it from the host')
  const path = keyPath(projectDirectory)
  if ((await readKey(path)) === key) return false
  await worldly(path, async () => rename(await writeAside(path, key), path))
  return true
}

function keyPath(projectDirectory: string): string {
  return join(projectDirectory, '.stagecraft', 'project.key')
}

async function readKey(path: string): Promise<string | undefined> {
  const text = await worldly(path, async () => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  })
  if (text === undefined) return undefined
  const key = text.trim()
  if (!keyPattern.test(key)) throw unusable(path, 'restore it from another machine, or remove it: all secrets then count as changed once')
  return key
}

/** Exclusive and whole: of two processes that find no key, both end up with the one that was first. */
async function createKey(path: string): Promise<string> {
  const key = randomBytes(32).toString('hex')
  return worldly(path, async () => {
    const temporary = await writeAside(path, key)
    try {
      await link(temporary, path)
      return key
    } catch (error) {
      const first = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKey(path) : undefined
      if (first === undefined) throw error
      return first
    } finally {
      await rm(temporary, { force: true })
    }
  })
}

async function writeAside(path: string, key: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 })
  const temporary = `${path}.${randomUUID()}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${key}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return temporary
}

async function worldly<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TaskFailure || !(error instanceof Error)) throw error
    throw new TaskFailure(
      { reason: 'refused', subject: path, message: `the project's key is out of reach: ${error.message}` },
      { cause: error },
    )
  }
}

function unusable(subject: string, remedy: string): TaskFailure {
  return new TaskFailure({ reason: 'refused', subject, message: 'it does not hold a project key: expected 64 hexadecimal digits', remedy })
}
