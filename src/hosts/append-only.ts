/**
 * Files on a host that only grow. Beside each, a link (`<path>.head`) keeps what its writer wants to know of it next time without reading
 * it: OpenSSH's server appends (`O_APPEND`), whatever offset a request names, so that two writers never write over each other.
 */

import { faultPoint } from '../../tasks/fault-point.ts'
import { absentIs } from './sftp-absent.ts'
import { makeDirectories, pathBelow, replaceLink } from './sftp-files.ts'
import { chunkBytes, type Handle, isAbsent, type Sftp } from './ssh-sftp.ts'
import { openFlag } from './ssh-sftp-packet.ts'
import type { SftpSession } from './ssh-sftp-session.ts'

export interface AppendOnly {
  /**
   * Adds what `make` returns, in one request, and has it on disk before it resolves; then sets the head. Call under a lock: `make` is told
   * what is there now.
   * @throws TaskFailure when the host refuses: at worst the head is behind the file.
   */
  append(path: string, make: (now: Grown) => { readonly bytes: Uint8Array; readonly head: (sizeBytes: number) => string }): Promise<void>
  /** The whole file and its head; undefined where there is none. */
  read(path: string): Promise<{ readonly bytes: Uint8Array | undefined; readonly head: string | undefined }>
}

export interface Grown {
  readonly head: string | undefined
  readonly sizeBytes: number
  /** By the host's clock, in seconds since 1970. */
  readonly nowSeconds: number
  /** The end of the file, as much of it as `tailBytes`. */
  readonly tail: Uint8Array
}

const timeoutMs = 30_000
/** More than a line. */
const tailBytes = chunkBytes

export function createAppendOnly(session: SftpSession, directory: string): AppendOnly {
  return {
    append: (path, make) => {
      const full = pathBelow(directory, path)
      return session.perform(`append to ${full}`, timeoutMs, (sftp) => append(sftp, full, directory, make))
    },
    read: (path) => {
      const full = pathBelow(directory, path)
      return session.perform(`read ${full}`, timeoutMs, async (sftp) => {
        const [bytes, head] = await Promise.all([readFrom(sftp, full, 0), sftp.readLink(`${full}.head`).catch(absentIs(undefined))])
        return { bytes, head }
      })
    },
  }
}

async function append(sftp: Sftp, path: string, directory: string, make: Parameters<AppendOnly['append']>[1]): Promise<void> {
  const [handle, clock, { size }, head] = await openBoth(sftp, path).catch(async (error: unknown) => {
    if (!isAbsent(error)) throw error
    await makeDirectories(sftp, directory)
    return openBoth(sftp, path)
  })
  // Sent together, and answered in order: the time is that of a file which is written now.
  const [tail, , { modified }] = await all([
    size === 0 ? Promise.resolve(undefined) : sftp.read(handle, Math.max(0, size - tailBytes), tailBytes),
    sftp.write(clock, 0, Buffer.from('1')),
    sftp.fstat(clock),
    sftp.close(clock),
    sftp.remove(`${path}.now`).catch(absentIs(undefined)),
  ])
  const made = make({ head, sizeBytes: size, nowSeconds: modified, tail: tail ?? new Uint8Array() })
  await all([sftp.write(handle, size, made.bytes), sftp.flush(handle), sftp.close(handle)])
  faultPoint('audit-line-written')
  // Not before the line is there: a head that is ahead of its file says that lines were taken away.
  await replaceLink(sftp, `${path}.head`, made.head(size + made.bytes.length))
}

/** The file and one for the time, the file's size, and its head. Nobody else adds to it under the lock. */
function openBoth(sftp: Sftp, path: string): Promise<[Handle, Handle, { readonly size: number }, string | undefined]> {
  return all([
    sftp.open(path, openFlag.read | openFlag.write | openFlag.append | openFlag.create, 0o640),
    sftp.open(`${path}.now`, openFlag.write | openFlag.create | openFlag.truncate, 0o640),
    sftp.stat(path).catch(absentIs({ size: 0 })),
    sftp.readLink(`${path}.head`).catch(absentIs(undefined)),
  ])
}

/** Waits for every answer, so that none is left over when one is a no. */
async function all<const T extends readonly [Promise<unknown>, ...Promise<unknown>[]]>(
  requests: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(requests)
  return Promise.all(requests)
}

async function readFrom(sftp: Sftp, path: string, start: number): Promise<Uint8Array | undefined> {
  const handle = await sftp.open(path, openFlag.read).catch(absentIs(undefined))
  if (handle === undefined) return undefined
  try {
    const chunks: Buffer[] = []
    for (let offset = start; ; ) {
      const chunk = await sftp.read(handle, offset, chunkBytes)
      if (chunk === undefined) return Buffer.concat(chunks)
      chunks.push(chunk)
      offset += chunk.length
    }
  } finally {
    await sftp.close(handle)
  }
}
