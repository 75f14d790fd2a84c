/** Headers of tar archives, as far as archives of images need them (POSIX.1-2001, `pax`, "ustar Interchange Format"). Pure. */

export const tarBlock = 512
const largestOctalSize = 0o77777777777

export interface TarHeader {
  readonly name: string
  readonly bytes: number
  /** `0` for a file, `5` for a folder, `x` for more about the next entry. */
  readonly type: string
}

/** Zeros after this many bytes, up to the next header. */
export function tarPadding(bytes: number): number {
  return (tarBlock - (bytes % tarBlock)) % tarBlock
}

/** Of a file that everybody may read. @param name at most 100 bytes. */
export function writeTarHeader(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(tarBlock)
  if (Buffer.byteLength(name) > 100) throw new Error(`${name} is too long for a tar header`)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  if (bytes <= largestOctalSize) header.write(`${octal(bytes, 11)}\0`, 124)
  else writeBinarySize(header, bytes)
  header.write(`${octal(0, 11)}\0`, 136)
  header.write('0', 156)
  header.write('ustar\x0000', 257, 'latin1')
  header.write(`${octal(checksum(header), 6)}\0 `, 148)
  return header
}

/** Undefined for a block of zeros, which ends an archive. @throws Error for what is no header. */
export function readTarHeader(block: Buffer): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined
  if (Number.parseInt(text(block, 148, 8), 8) !== checksum(block)) throw new Error('it is not a tar archive, or it is damaged')
  const prefix = text(block, 257, 5) === 'ustar' ? text(block, 345, 155) : ''
  const name = text(block, 0, 100)
  const type = text(block, 156, 1)
  return { name: prefix === '' ? name : `${prefix}/${name}`, bytes: readSize(block), type: type === '' ? '0' : type }
}

/** The size that a pax header gives the entry after it, where it gives one. */
export function paxSize(records: string): number | undefined {
  const size = /(?:^|\n)\d+ size=(\d+)\n/.exec(records)?.[1]
  return size === undefined ? undefined : Number(size)
}

/** GNU's and star's way of writing what octal digits cannot hold: a set first bit, then a number of many bytes. */
function writeBinarySize(header: Buffer, bytes: number): void {
  header.writeUInt8(0x80, 124)
  header.writeBigUInt64BE(BigInt(bytes), 128)
}

function readSize(block: Buffer): number {
  if (((block[124] ?? 0) & 0x80) === 0) return Number.parseInt(text(block, 124, 12).trim() || '0', 8)
  return Number(block.readBigUInt64BE(128))
}

/** As if its own field held spaces. */
function checksum(header: Buffer): number {
  let sum = 0
  for (let index = 0; index < tarBlock; index++) sum += index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0)
  return sum
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end)
}
