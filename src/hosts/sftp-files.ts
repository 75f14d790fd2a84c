/** `HostFiles` over SFTP. Nothing is ever seen half-written: what replaces something is made beside it and renamed over it. */
import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { faultPoint } from '../../tasks/fault-point.ts'
import type { HostFiles } from '../../tasks/ports.ts'
import { chunkBytes, isAbsent, type Sftp, SftpError } from './ssh-sftp.ts'
import { openFlag, sftpStatus } from './ssh-sftp-packet.ts'
import type { SftpSession } from './ssh-sftp-session.ts'
import { spaceNear } from './ssh-sftp-space.ts'

/** For one file; large ones get a second more for every 50 kB. */
const timeoutMs = 30_000
const slowBytesPerMs = 50
/** What begins with it is an unfinished write; the name it is to have follows. */
export const temporaryPrefix = '.tmp-'
/** What is read of a file before its size is known. */
const guessedBytes = 2 * chunkBytes

/** Paths of `HostFiles` are relative to `directory`, which is made on the first write. */
export function createSftpFiles(session: SftpSession, directory: string): HostFiles {
  const at = (path: string) => pathBelow(directory, path)
  return {
    makeDirectory: (path, mode) =>
      session.perform(`create directory ${at(path)}`, timeoutMs, (sftp) => makeDirectories(sftp, at(path), mode)),
    write: (path, bytes, mode) =>
      session.perform(`write ${at(path)}`, timeoutMs + bytes.length / slowBytesPerMs, (sftp) =>
        replace(sftp, at(path), async (temporary) => {
          await writeNew(sftp, temporary, bytes, mode)
          faultPoint('file-written', posix.basename(path))
          await sftp.rename(temporary, at(path))
        }),
      ),
    read: (path) => session.perform(`read ${at(path)}`, timeoutMs, (sftp) => readWhole(sftp, at(path))),
    exists: (path) =>
      session.perform(`look at ${at(path)}`, timeoutMs, (sftp) =>
        orAbsent(
          sftp.lstat(at(path)).then(() => true),
          false,
        ),
      ),
    list: (path) =>
      session.perform(`list ${at(path)}`, timeoutMs, async (sftp) => {
        const entries = await orAbsent(sftp.entries(at(path)), [])
        return entries.map(({ name }) => name).sort()
      }),
    rename: (from, to) => session.perform(`rename ${at(from)}`, timeoutMs, (sftp) => sftp.rename(at(from), at(to))),
    point: (path, target) => session.perform(`point ${at(path)} to ${target}`, timeoutMs, (sftp) => replaceLink(sftp, at(path), target)),
    remove: (path) => session.perform(`remove ${at(path)}`, timeoutMs, (sftp) => removeAll(sftp, at(path))),
  }
}

/** @throws RangeError for a path that leads out of the directory: a bug of the caller. */
export function pathBelow(directory: string, path: string): string {
  const full = posix.join(directory, path)
  if (posix.isAbsolute(path) || (full !== directory && !full.startsWith(`${directory}/`)))
    throw new RangeError(`\`${path}\` is not below ${directory}`)
  return full.replace(/(.)\/$/, '$1')
}

/** `mode` is for the last one, and only when it is made here. */
export async function makeDirectories(sftp: Sftp, path: string, mode?: number): Promise<void> {
  const making = sftp.makeDirectory(path, mode)
  const there = sftp.stat(path).catch(() => undefined)
  try {
    await making
  } catch (error) {
    if (isAbsent(error) && path !== '/') {
      await makeDirectories(sftp, posix.dirname(path))
      return makeDirectories(sftp, path, mode)
    }
    const found = await there
    if (found !== undefined && isDirectory(found.mode)) return
    throw error
  }
  // The server's umask may have taken bits away.
  if (mode !== undefined) await sftp.setMode(path, mode)
}

/** Makes something under a temporary name in the same directory, which puts it in its place in one step. */
async function replace(sftp: Sftp, path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const folder = posix.dirname(path)
  const temporary = posix.join(folder, `${temporaryPrefix}${posix.basename(path)}.${randomBytes(8).toString('hex')}`)
  try {
    await make(temporary).catch(async (error: unknown) => {
      if (!isAbsent(error)) throw error
      await makeDirectories(sftp, folder)
      await make(temporary)
    })
  } catch (error) {
    if (error instanceof SftpError && error.status === sftpStatus.failure) error.space = await spaceNear(error.path, sftp)
    // The first failure is the one to tell; a leftover temporary is harmless.
    await sftp.remove(temporary).catch(() => undefined)
    throw error
  }
}

/** Makes a link lead elsewhere, in one step. What puts it in its place is sent along: where no link was made, there is nothing to put. */
export function replaceLink(sftp: Sftp, path: string, target: string): Promise<void> {
  return replace(sftp, path, async (temporary) => {
    const [made, placed] = await Promise.allSettled([sftp.makeLink(temporary, target), sftp.rename(temporary, path)])
    if (made.status === 'rejected') throw made.reason
    // A server that answers in no order may have looked too early.
    if (placed.status === 'rejected' && isAbsent(placed.reason)) await sftp.rename(temporary, path)
    else if (placed.status === 'rejected') throw placed.reason
  })
}

async function writeNew(sftp: Sftp, path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await sftp.open(path, openFlag.write | openFlag.create | openFlag.exclusive, mode)
  const offsets = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) => index * chunkBytes)
  const requests = [
    sftp.setHandleMode(handle, mode),
    ...offsets.map((offset) => sftp.write(handle, offset, bytes.subarray(offset, offset + chunkBytes))),
    sftp.flush(handle),
    sftp.close(handle),
  ]
  for (const outcome of await Promise.allSettled(requests)) {
    // Requests on a file name no path.
    if (outcome.status === 'rejected') throw outcome.reason instanceof SftpError ? outcome.reason.at(path) : outcome.reason
  }
}

export async function readWhole(sftp: Sftp, path: string): Promise<Uint8Array | undefined> {
  const handle = await orAbsent(sftp.open(path, openFlag.read), undefined)
  if (handle === undefined) return undefined
  try {
    let size = guessedBytes
    const chunks: Buffer[] = []
    for (let offset = 0; ; ) {
      // All at once as far as the size is known, and one more to find the end. At first it is asked for along with what most files are.
      const starts = Array.from(
        { length: Math.ceil(Math.max(0, size - offset) / chunkBytes) + 1 },
        (_, index) => offset + index * chunkBytes,
      )
      const [{ size: now }, ...parts] = await Promise.all([
        sftp.fstat(handle),
        ...starts.map((start) => sftp.read(handle, start, chunkBytes)),
      ])
      size = now
      for (const [index, part] of parts.entries()) {
        if (part === undefined) return Buffer.concat(chunks)
        // A short answer leaves a hole before the next: ask again from there.
        if (starts[index] !== offset) break
        chunks.push(part)
        offset += part.length
      }
    }
  } finally {
    sftp.letGo(handle)
  }
}

async function removeAll(sftp: Sftp, path: string): Promise<void> {
  const found = await orAbsent(sftp.lstat(path), undefined)
  if (found === undefined) return
  if (!isDirectory(found.mode)) return orAbsent(sftp.remove(path), undefined)
  const entries = await orAbsent(sftp.entries(path), [])
  await Promise.all(
    entries.map(({ name, attributes }) => {
      const child = posix.join(path, name)
      return isDirectory(attributes.mode) ? removeAll(sftp, child) : orAbsent(sftp.remove(child), undefined)
    }),
  )
  await orAbsent(sftp.removeDirectory(path), undefined)
}

async function orAbsent<T, U>(request: Promise<T>, absent: U): Promise<T | U> {
  return request.catch((error: unknown) => {
    if (isAbsent(error)) return absent
    throw error
  })
}

/** POSIX file type bits. */
function isDirectory(mode: number): boolean {
  return (mode & 0o170000) === 0o040000
}
