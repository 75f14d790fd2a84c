/**
 * The file of a journal on a host, for one run that holds the lock. Lines go out in the order they are told, on the wire that everything else
 * of the run takes: what is told before something else is asked of the host has reached it before that has. Nobody waits for the answers but at
 * the beginning and the end.
 */

import { makeDirectories, pathBelow } from './sftp-files.ts'
import { chunkBytes, type Handle, isAbsent, type Sftp } from './ssh-sftp.ts'
import { openFlag } from './ssh-sftp-packet.ts'
import type { SftpSession } from './ssh-sftp-session.ts'

export interface JournalFile {
  /** Adds to what is there, on disk when it resolves. @returns what was there before, or undefined when that is far too much. */
  begin(bytes: Uint8Array): Promise<Uint8Array | undefined>
  /** @param sent called when it is on its way. Resolves when the host has it. */
  append(bytes: Uint8Array, sent: () => void): Promise<void>
  /** Puts `bytes` in the place of all that is there, on disk when it resolves. */
  replace(bytes: Uint8Array): Promise<void>
  /** Gives what is there another name, over what has that name. */
  setAside(name: string): Promise<void>
}

const timeoutMs = 30_000
/** Asked for at once, unseen: more than the journal of many runs that were killed one after the other. */
const readAtOnce = 2
/** A run leaves some kilobytes, and one that ends well leaves one line. */
const tooManyBytes = 1024 * 1024

export function createJournalFile(session: SftpSession, directory: string, name: string): JournalFile {
  const path = pathBelow(directory, name)
  let open: { readonly sftp: Sftp; readonly handle: Handle } | undefined

  const openIn = async (sftp: Sftp, flags = 0): Promise<Handle> => {
    const all = openFlag.read | openFlag.write | openFlag.append | openFlag.create | flags
    const handle = await sftp.open(path, all, 0o640).catch(async (error: unknown) => {
      if (!isAbsent(error)) throw error
      await makeDirectories(sftp, directory)
      return sftp.open(path, all, 0o640)
    })
    open = { sftp, handle }
    return handle
  }
  const close = async (sftp: Sftp) => {
    const before = open
    open = undefined
    if (before?.sftp === sftp) await sftp.close(before.handle)
  }

  return {
    begin: (bytes) =>
      session.perform(`write ${path}`, timeoutMs, async (sftp) => {
        const handle = await openIn(sftp)
        const reads = Array.from({ length: readAtOnce }, (_, index) => sftp.read(handle, index * chunkBytes, chunkBytes))
        // Answered in order, so the size is that before the write.
        const [first, { size }] = await all([Promise.all(reads), sftp.fstat(handle), write(sftp, handle, bytes), sftp.flush(handle)])
        if (size > tooManyBytes) return undefined
        const parts = first.flatMap((part) => part ?? [])
        // A short answer leaves a hole before the next: go on from there.
        const whole = parts[0]?.length === chunkBytes ? parts : parts.slice(0, 1)
        let length = whole.reduce((sum, part) => sum + part.length, 0)
        while (length < size) {
          const part = await sftp.read(handle, length, Math.min(chunkBytes, size - length))
          if (part === undefined) break
          whole.push(part)
          length += part.length
        }
        return Buffer.concat(whole).subarray(0, size)
      }),
    append: (bytes, sent) =>
      session.perform(`write ${path}`, timeoutMs, async (sftp) => {
        // After a connection was lost, the file is opened anew.
        const handle = open?.sftp === sftp ? open.handle : await openIn(sftp)
        const written = write(sftp, handle, bytes)
        sent()
        await written
      }),
    replace: (bytes) =>
      session.perform(`write ${path}`, timeoutMs, async (sftp) => {
        const [, handle] = await all([close(sftp), openIn(sftp, openFlag.truncate)])
        await all([write(sftp, handle, bytes), sftp.flush(handle), close(sftp)])
      }),
    setAside: (other) =>
      session.perform(`rename ${path}`, timeoutMs, async (sftp) => {
        await all([close(sftp), sftp.rename(path, pathBelow(directory, other))])
      }),
  }
}

/** The server appends, whatever offset a request names. */
function write(sftp: Sftp, handle: Handle, bytes: Uint8Array): Promise<unknown> {
  const starts = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) => index * chunkBytes)
  return all(starts.map((start) => sftp.write(handle, start, bytes.subarray(start, start + chunkBytes))))
}

/** Waits for every answer, so that none is left over when one is a no. */
async function all<const T extends readonly Promise<unknown>[]>(requests: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(requests)
  return Promise.all(requests)
}
