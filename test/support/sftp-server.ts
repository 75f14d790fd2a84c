import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Attributes, SFTPWrapper } from 'ssh2'

export const status = { ok: 0, endOfFile: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 }

export interface SftpRules {
  /** Asked before each request; a number is answered as its status. */
  intercept?(operation: string, path: string): number | undefined
  /** Every request, as `OPERATION path`. */
  readonly log: string[]
}

/**
 * Answers SFTP from this machine's files with ssh2's own protocol code, in order and with OpenSSH's habits: the fields of SYMLINK the other
 * way round, EEXIST and most else as FAILURE, posix-rename and fsync as extensions.
 */
export function serveSftp(sftp: SFTPWrapper, rules: SftpRules): void {
  const files = new Map<number, string>()
  const folders = new Map<number, string[]>()
  let lastFolder = 1_000_000
  const name = (handle: Buffer) => handle.readUInt32BE(0)
  const handleOf = (value: number) => {
    const handle = Buffer.alloc(4)
    handle.writeUInt32BE(value)
    return handle
  }
  const answer = (id: number, operation: string, path: string, work: () => void) => {
    rules.log.push(`${operation} ${path}`)
    const refusal = rules.intercept?.(operation, path)
    if (refusal !== undefined) return sftp.status(id, refusal)
    try {
      work()
    } catch (error) {
      sftp.status(id, statusOf(error as NodeJS.ErrnoException))
    }
  }
  const done = (id: number) => sftp.status(id, status.ok)

  sftp.on('OPEN', (id, path, flags, attributes) =>
    answer(id, 'OPEN', path, () => {
      const descriptor = openSync(path, posixFlags(flags), attributes.mode ?? 0o666)
      files.set(descriptor, path)
      sftp.handle(id, handleOf(descriptor))
    }),
  )
  sftp.on('WRITE', (id, handle, offset, data) =>
    answer(id, 'WRITE', files.get(name(handle)) ?? '', () => {
      writeSync(name(handle), data, 0, data.length, offset)
      done(id)
    }),
  )
  sftp.on('READ', (id, handle, offset, length) =>
    answer(id, 'READ', files.get(name(handle)) ?? '', () => {
      const buffer = Buffer.alloc(length)
      const count = readSync(name(handle), buffer, 0, length, offset)
      if (count === 0) sftp.status(id, status.endOfFile)
      else sftp.data(id, buffer.subarray(0, count))
    }),
  )
  sftp.on('CLOSE', (id, handle) =>
    answer(id, 'CLOSE', files.get(name(handle)) ?? '', () => {
      if (!folders.delete(name(handle))) closeSync(name(handle))
      files.delete(name(handle))
      done(id)
    }),
  )
  sftp.on('FSTAT', (id, handle) =>
    answer(id, 'FSTAT', files.get(name(handle)) ?? '', () => sftp.attrs(id, attributesOf(fstatSync(name(handle))))),
  )
  sftp.on('FSETSTAT', (id, handle, { mode }) =>
    answer(id, 'FSETSTAT', files.get(name(handle)) ?? '', () => {
      fchmodSync(name(handle), mode)
      done(id)
    }),
  )
  sftp.on('SETSTAT', (id, path, { mode }) =>
    answer(id, 'SETSTAT', path, () => {
      chmodSync(path, mode)
      done(id)
    }),
  )
  sftp.on('STAT', (id, path) => answer(id, 'STAT', path, () => sftp.attrs(id, attributesOf(statSync(path)))))
  sftp.on('LSTAT', (id, path) => answer(id, 'LSTAT', path, () => sftp.attrs(id, attributesOf(lstatSync(path)))))
  sftp.on('OPENDIR', (id, path) =>
    answer(id, 'OPENDIR', path, () => {
      lastFolder++
      folders.set(lastFolder, ['.', '..', ...readdirSync(path)])
      files.set(lastFolder, path)
      sftp.handle(id, handleOf(lastFolder))
    }),
  )
  sftp.on('READDIR', (id, handle) =>
    answer(id, 'READDIR', files.get(name(handle)) ?? '', () => {
      const names = folders.get(name(handle))?.splice(0) ?? []
      if (names.length === 0) return sftp.status(id, status.endOfFile)
      const folder = files.get(name(handle)) ?? ''
      sftp.name(
        id,
        names.map((filename) => ({ filename, longname: filename, attrs: attributesOf(lstatSync(join(folder, filename))) })),
      )
    }),
  )
  sftp.on('READLINK', (id, path) =>
    answer(id, 'READLINK', path, () => {
      const filename = readlinkSync(path)
      sftp.name(id, [{ filename, longname: filename, attrs: {} as Attributes }])
    }),
  )
  // ssh2 takes the fields in the draft's order.
  sftp.on('SYMLINK', (id, target, path) =>
    answer(id, 'SYMLINK', path, () => {
      symlinkSync(target, path)
      done(id)
    }),
  )
  const change =
    (operation: string, work: (path: string, attributes?: Attributes) => void) => (id: number, path: string, attributes?: Attributes) =>
      answer(id, operation, path, () => {
        work(path, attributes)
        done(id)
      })
  sftp.on(
    'REMOVE',
    change('REMOVE', (path) => unlinkSync(path)),
  )
  sftp.on(
    'RMDIR',
    change('RMDIR', (path) => rmdirSync(path)),
  )
  sftp.on(
    'MKDIR',
    change('MKDIR', (path, attributes) => mkdirSync(path, attributes?.mode ?? 0o777)),
  )
  sftp.on('EXTENDED', (id, extension, data) => {
    const [first = Buffer.alloc(0), second] = strings(data)
    if (extension === 'fsync@openssh.com') {
      return answer(id, 'FSYNC', files.get(name(first)) ?? '', () => {
        fsyncSync(name(first))
        done(id)
      })
    }
    if (extension !== 'posix-rename@openssh.com' || second === undefined) return sftp.status(id, status.unsupported)
    answer(id, 'RENAME', `${first} ${second}`, () => {
      renameSync(first.toString(), second.toString())
      done(id)
    })
  })
}

function strings(data: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let offset = 0; offset < data.length; ) {
    const end = offset + 4 + data.readUInt32BE(offset)
    found.push(data.subarray(offset + 4, end))
    offset = end
  }
  return found
}

function statusOf(error: NodeJS.ErrnoException): number {
  if (['ENOENT', 'ENOTDIR', 'EBADF', 'ELOOP'].includes(error.code ?? '')) return status.noSuchFile
  return error.code === 'EACCES' || error.code === 'EPERM' ? status.permissionDenied : status.failure
}

function posixFlags(flags: number): string {
  if ((flags & 2) === 0) return 'r'
  if ((flags & 32) !== 0) return 'wx'
  return (flags & 16) !== 0 ? 'w' : 'as+'
}

function attributesOf(stats: Stats): Attributes {
  const { mode, uid, gid, size } = stats
  return { mode, uid, gid, size, atime: Math.floor(stats.atimeMs / 1000), mtime: Math.floor(stats.mtimeMs / 1000) }
}

/** A path that is there, dangling links included. */
export function isThere(path: string): boolean {
  return existsSync(path) || lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
