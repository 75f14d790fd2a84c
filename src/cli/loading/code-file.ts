/**
 * The file that keeps compiled code. Code that was compiled is run as it is, and V8 itself only looks whether it was made by the same engine, with the same
 * flags, from a text as long. So this says whether the text is the same, and whether the file is whole.
 */

/** Compiled code of one module, and the checksum of the text it was made from. */
export interface Compiled {
  readonly text: number
  readonly code: Uint8Array
}

export interface KeptCode {
  /** How many runs have added to it. */
  readonly runs: number
  /** By absolute path. */
  readonly modules: ReadonlyMap<string, Compiled>
}

const mark = 'SCcode1\n'
/** The mark, a checksum of all that follows it, the length of the list. */
const headBytes = 16

type Row = readonly [path: string, text: number, length: number]

interface List {
  readonly runs: number
  readonly rows: readonly Row[]
}

export function encodeCode({ runs, modules }: KeptCode): Buffer {
  const rows = [...modules].map(([path, { text, code }]): Row => [path, text, code.length])
  const list = Buffer.from(JSON.stringify({ runs, rows } satisfies List))
  let at = align(headBytes + list.length)
  const bytes = Buffer.alloc(at + rows.reduce((sum, [, , length]) => sum + align(length), 0))
  bytes.write(mark, 'latin1')
  bytes.writeUInt32LE(list.length, 12)
  bytes.set(list, headBytes)
  for (const { code } of modules.values()) {
    bytes.set(code, at)
    at += align(code.length)
  }
  bytes.writeUInt32LE(checksum(bytes.subarray(12)), 8)
  return bytes
}

/** Undefined for anything that is not, to the last byte, what `encodeCode` made. */
export function decodeCode(bytes: Buffer): KeptCode | undefined {
  if (bytes.length < headBytes || bytes.toString('latin1', 0, mark.length) !== mark) return undefined
  if (bytes.readUInt32LE(8) !== checksum(bytes.subarray(12))) return undefined
  const listBytes = bytes.readUInt32LE(12)
  const { runs, rows } = JSON.parse(bytes.toString('utf8', headBytes, headBytes + listBytes)) as List
  const modules = new Map<string, Compiled>()
  let at = align(headBytes + listBytes)
  for (const [path, text, length] of rows) {
    modules.set(path, { text, code: bytes.subarray(at, at + length) })
    at += align(length)
  }
  return { runs, modules }
}

/** As fast as memory is read; loaded only by those who need it. */
export function checksum(bytes: Uint8Array): number {
  return process.getBuiltinModule('node:zlib').crc32(bytes)
}

/** V8 copies compiled code that does not begin at an address it likes. */
function align(length: number): number {
  return (length + 7) & ~7
}
