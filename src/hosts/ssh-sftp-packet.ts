/** Bytes of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02) and OpenSSH's extensions (OpenSSH PROTOCOL, 4). Pure. */

export const sftpType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  fsetstat: 10,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  stat: 17,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
  extendedReply: 201,
} as const

export const sftpStatus = { ok: 0, endOfFile: 1, noSuchFile: 2, permissionDenied: 3, failure: 4, badMessage: 5, unsupported: 8 } as const

/** Flags of OPEN. */
export const openFlag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const

export interface Attributes {
  readonly size: number
  /** POSIX mode with file type. */
  readonly mode: number
  /** In seconds since 1970, by the host's clock. */
  readonly modified: number
}

/** Numbers are uint32, bigints uint64, strings and bytes carry their length, `mode` is attributes with permissions only. */
export type Field = number | bigint | string | Uint8Array | { readonly mode: number | undefined }

/** One packet with its length. */
export function encodePacket(type: number, fields: readonly Field[]): Buffer {
  const body = Buffer.concat([Buffer.of(type), ...fields.map(encodeField)])
  return Buffer.concat([uint32(body.length), body])
}

function encodeField(field: Field): Buffer {
  if (typeof field === 'number') return uint32(field)
  if (typeof field === 'bigint') {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(field)
    return bytes
  }
  if (typeof field === 'string' || field instanceof Uint8Array) {
    const bytes = Buffer.from(field as string)
    return Buffer.concat([uint32(bytes.length), bytes])
  }
  return field.mode === undefined ? uint32(0) : Buffer.concat([uint32(attributeFlag.permissions), uint32(field.mode)])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const attributeFlag = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x80000000 }

/** Reads the fields of a packet in turn. @throws RangeError when it is shorter than it says. */
export class PacketReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8))
  }

  bytes(): Buffer {
    const length = this.uint32()
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(): string {
    return this.bytes().toString('utf8')
  }

  attributes(): Attributes {
    const flags = this.uint32()
    const size = flags & attributeFlag.size ? Number(this.uint64()) : 0
    if (flags & attributeFlag.owner) this.#take(8)
    const mode = flags & attributeFlag.permissions ? this.uint32() : 0
    const [, modified = 0] = flags & attributeFlag.times ? [this.uint32(), this.uint32()] : []
    if (flags & attributeFlag.extended) for (let left = this.uint32(); left > 0; left--) this.#skip(2)
    return { size, mode, modified }
  }

  #skip(strings: number): void {
    for (let left = strings; left > 0; left--) this.bytes()
  }

  #take(length: number): number {
    const start = this.#offset
    if (start + length > this.#bytes.length) throw new RangeError('SFTP packet ends early')
    this.#offset += length
    return start
  }
}
