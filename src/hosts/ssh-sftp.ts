/**
 * An SFTP client over one channel. Written here because ssh2's waits for three answers (subsystem, version, limits) before
 * the first request may be sent; this one sends requests along with its greeting, which is what makes looking at a host cheap.
 * Requests are answered in order by OpenSSH's server, so several may be under way at once.
 */
import type { Duplex } from 'node:stream'
import { type Attributes, encodePacket, type Field, PacketReader, sftpStatus, sftpType } from './ssh-sftp-packet.ts'

/** The host's no to one request. */
export class SftpError extends Error {
  override readonly name = 'SftpError'
  /** One of `sftpStatus`. */
  readonly status: number
  readonly path: string
  /** What the server said. */
  readonly words: string
  /** Of the disk when it happened, where clearing up afterwards makes room again. */
  space: FileSystemSpace | undefined
  constructor(status: number, words: string, path: string) {
    super(`${path}: ${words}`)
    this.status = status
    this.words = words
    this.path = path
  }

  /** The same no, of a request that named no path. */
  at(path: string): SftpError {
    return new SftpError(this.status, this.words, path)
  }
}

/** The error is the host's answer that nothing is there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof SftpError && error.status === sftpStatus.noSuchFile
}

export interface DirectoryEntry {
  readonly name: string
  readonly attributes: Attributes
}

export interface FileSystemSpace {
  /** For users who are not root. */
  readonly freeBlocks: bigint
  readonly freeInodes: bigint
  readonly totalInodes: bigint
  readonly isReadOnly: boolean
}

/** An open file on the host. */
export type Handle = Buffer & { readonly __brand?: 'Handle' }

interface Pending {
  readonly path: string
  resolve(reply: { readonly type: number; readonly reader: PacketReader }): void
  reject(error: Error): void
}

/** Larger packets than any server sends: what comes is not SFTP. */
const maxPacketBytes = 1024 * 1024
/** Every server takes this much in one WRITE and gives it for one READ. */
export const chunkBytes = 32 * 1024

export class Sftp {
  readonly #channel: Duplex
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #received: Buffer = Buffer.alloc(0)
  #end: Error | undefined

  /** Greets the server and does not wait for its answer. */
  constructor(channel: Duplex) {
    this.#channel = channel
    channel.on('data', (chunk: Buffer) => this.#receive(chunk))
    channel.once('close', () => this.#stop(new Error('the SFTP server ended: is `Subsystem sftp` set up in sshd_config?')))
    channel.on('error', (error: Error) => this.#stop(error))
    channel.write(encodePacket(sftpType.init, [3]))
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  async open(path: string, flags: number, mode?: number): Promise<Handle> {
    return (await this.#ask(sftpType.open, path, [path, flags, { mode }], sftpType.handle)).bytes()
  }

  close(handle: Handle): Promise<void> {
    return this.#command(sftpType.close, 'close', [handle])
  }

  write(handle: Handle, offset: number, bytes: Uint8Array): Promise<void> {
    return this.#command(sftpType.write, 'write', [handle, BigInt(offset), bytes])
  }

  /** Undefined at the end of the file; may give less than asked for. */
  async read(handle: Handle, offset: number, length: number): Promise<Buffer | undefined> {
    return this.#ask(sftpType.read, 'read', [handle, BigInt(offset), length], sftpType.data).then((reader) => reader.bytes(), atEnd)
  }

  /** `fsync@openssh.com`; a server without it has written what it was given, and no more is known. */
  async flush(handle: Handle): Promise<void> {
    await this.#command(sftpType.extended, 'flush', ['fsync@openssh.com', handle]).catch((error: unknown) => {
      if (!(error instanceof SftpError) || error.status !== sftpStatus.unsupported) throw error
    })
  }

  /** Of what `path` leads to. */
  async stat(path: string): Promise<Attributes> {
    return (await this.#ask(sftpType.stat, path, [path], sftpType.attributes)).attributes()
  }

  /** Of a link itself. */
  async lstat(path: string): Promise<Attributes> {
    return (await this.#ask(sftpType.lstat, path, [path], sftpType.attributes)).attributes()
  }

  async fstat(handle: Handle): Promise<Attributes> {
    return (await this.#ask(sftpType.fstat, 'stat', [handle], sftpType.attributes)).attributes()
  }

  setMode(path: string, mode: number): Promise<void> {
    return this.#command(sftpType.setstat, path, [path, { mode }])
  }

  setHandleMode(handle: Handle, mode: number): Promise<void> {
    return this.#command(sftpType.fsetstat, 'chmod', [handle, { mode }])
  }

  makeDirectory(path: string, mode?: number): Promise<void> {
    return this.#command(sftpType.mkdir, path, [path, { mode }])
  }

  removeDirectory(path: string): Promise<void> {
    return this.#command(sftpType.rmdir, path, [path])
  }

  /** A file or a link. */
  remove(path: string): Promise<void> {
    return this.#command(sftpType.remove, path, [path])
  }

  async readLink(path: string): Promise<string> {
    const reader = await this.#ask(sftpType.readlink, path, [path], sftpType.name)
    if (reader.uint32() !== 1) throw new SftpError(sftpStatus.badMessage, 'the answer names no target', path)
    return reader.text()
  }

  /** Fails when `path` is there. OpenSSH has the two fields the other way round than the draft; so has everyone since. */
  makeLink(path: string, target: string): Promise<void> {
    return this.#command(sftpType.symlink, path, [target, path])
  }

  /** `posix-rename@openssh.com`: replaces what is there, in one step. */
  rename(from: string, to: string): Promise<void> {
    return this.#command(sftpType.extended, to, ['posix-rename@openssh.com', from, to])
  }

  /** `statvfs@openssh.com`. */
  async space(path: string): Promise<FileSystemSpace> {
    const reader = await this.#ask(sftpType.extended, path, ['statvfs@openssh.com', path], sftpType.extendedReply)
    const numbers = Array.from({ length: 10 }, () => reader.uint64())
    const [, , , , freeBlocks = 0n, totalInodes = 0n, , freeInodes = 0n, , flags = 0n] = numbers
    return { freeBlocks, freeInodes, totalInodes, isReadOnly: (flags & 1n) === 1n }
  }

  /** Without `.` and `..`, in the server's order. */
  async entries(path: string): Promise<readonly DirectoryEntry[]> {
    const handle: Handle = (await this.#ask(sftpType.opendir, path, [path], sftpType.handle)).bytes()
    const next = () => this.#ask(sftpType.readdir, path, [handle], sftpType.name).catch(atEnd)
    const found: DirectoryEntry[] = []
    try {
      // Asked for two at a time: most directories are one answer, and the word that there is no more.
      for (;;) {
        for (const reader of await Promise.all([next(), next()])) {
          if (reader === undefined) return found.filter(({ name }) => name !== '.' && name !== '..')
          for (let left = reader.uint32(); left > 0; left--) {
            const name = reader.text()
            reader.bytes() // the line `ls -l` would print
            found.push({ name, attributes: reader.attributes() })
          }
        }
      }
    } finally {
      this.letGo(handle)
    }
  }

  /** Closes what was only read, and does not wait: nothing can be lost by it. */
  letGo(handle: Handle): void {
    this.close(handle).catch(() => undefined)
  }

  /** Lets the channel go. */
  end(): void {
    this.#channel.destroy()
  }

  async #command(type: number, path: string, fields: readonly Field[]): Promise<void> {
    await this.#ask(type, path, fields, sftpType.status)
  }

  async #ask(type: number, path: string, fields: readonly Field[], expected: number): Promise<PacketReader> {
    if (this.#end !== undefined) throw this.#end
    this.#lastId = (this.#lastId + 1) >>> 0
    const id = this.#lastId
    const reply = await new Promise<{ type: number; reader: PacketReader }>((resolve, reject) => {
      this.#pending.set(id, { path, resolve, reject })
      this.#channel.write(encodePacket(type, [id, ...fields]))
    })
    if (reply.type === sftpType.status) {
      const status = reply.reader.uint32()
      if (status === sftpStatus.ok && expected === sftpType.status) return reply.reader
      // Servers may leave the message out.
      throw new SftpError(status, (reply.reader.isAtEnd ? '' : reply.reader.text()) || `status ${status}`, path)
    }
    if (reply.type !== expected) throw new SftpError(sftpStatus.badMessage, `unexpected answer of type ${reply.type}`, path)
    return reply.reader
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    try {
      for (let packet = this.#nextPacket(); packet !== undefined; packet = this.#nextPacket()) this.#answer(new PacketReader(packet))
    } catch (error) {
      this.#stop(error as Error)
      this.#channel.destroy()
    }
  }

  #nextPacket(): Buffer | undefined {
    if (this.#received.length < 4) return undefined
    const length = this.#received.readUInt32BE(0)
    if (length > maxPacketBytes) throw new Error('what the host sends is not SFTP: does a start-up file of its shell print something?')
    if (this.#received.length < 4 + length) return undefined
    const packet = this.#received.subarray(4, 4 + length)
    this.#received = this.#received.subarray(4 + length)
    return packet
  }

  #answer(reader: PacketReader): void {
    const type = reader.byte()
    if (type === sftpType.version) return
    const id = reader.uint32()
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    pending?.resolve({ type, reader })
  }

  #stop(error: Error): void {
    this.#end ??= error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}

function atEnd(error: unknown): undefined {
  if (error instanceof SftpError && error.status === sftpStatus.endOfFile) return undefined
  throw error
}
