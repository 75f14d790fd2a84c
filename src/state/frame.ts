/**
 * The form of the files in `.stagecraft/run`: a JSON value, a text and a list of numbers behind a mark, their lengths and a checksum. Numbers are
 * raw, as reading a stamp from JSON takes ten times as long. Byte order is the machine's: these files never travel.
 *
 *     mark (8 bytes) | checksum, JSON bytes, text bytes, numbers (u32 each) | JSON | text | zeros to a multiple of 8 | numbers (f64)
 */

export interface Frame {
  readonly value: unknown
  readonly text: string
  readonly numbers: Float64Array
}

const headBytes = 24

export function encodeFrame(mark: string, { value, text, numbers }: Frame): Uint8Array {
  const json = Buffer.from(JSON.stringify(value))
  const plain = Buffer.from(text)
  const numbersAt = align(headBytes + json.length + plain.length)
  const bytes = Buffer.alloc(numbersAt + numbers.byteLength)
  bytes.write(mark, 'latin1')
  new Uint32Array(bytes.buffer, bytes.byteOffset + 12, 3).set([json.length, plain.length, numbers.length])
  json.copy(bytes, headBytes)
  plain.copy(bytes, headBytes + json.length)
  new Float64Array(bytes.buffer, bytes.byteOffset + numbersAt).set(numbers)
  new Uint32Array(bytes.buffer, bytes.byteOffset + 8, 1)[0] = checksum(bytes)
  return bytes
}

/** Undefined for anything that was not written by {@link encodeFrame} under this mark, whole. */
export function decodeFrame(mark: string, given: Uint8Array): Frame | undefined {
  const bytes = given.byteOffset % 8 === 0 ? Buffer.from(given.buffer, given.byteOffset, given.byteLength) : Buffer.from(given)
  if (bytes.length < headBytes || bytes.length % 8 !== 0 || bytes.toString('latin1', 0, 8) !== mark) return undefined
  const [sum = 0, jsonBytes = 0, textBytes = 0, count = 0] = new Uint32Array(bytes.buffer, bytes.byteOffset + 8, 4)
  const numbersAt = align(headBytes + jsonBytes + textBytes)
  if (bytes.length !== numbersAt + count * 8 || sum !== checksum(bytes)) return undefined
  return {
    value: JSON.parse(bytes.toString('utf8', headBytes, headBytes + jsonBytes)),
    // When it is asked for: who only compares stamps does without.
    get text() {
      return bytes.toString('utf8', headBytes + jsonBytes, headBytes + jsonBytes + textBytes)
    },
    numbers: new Float64Array(bytes.buffer, bytes.byteOffset + numbersAt, count),
  }
}

const align = (length: number): number => (length + 7) & ~7

/**
 * FNV-1a over words instead of bytes (http://www.isthe.com/chongo/tech/comp/fnv/), all but the checksum's own. Each step is a bijection, so a change to any
 * one word is always noticed. Against accidents, not against people: who can write here can write the outputs too.
 */
function checksum(bytes: Buffer): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let sum = 0x811c9dc5
  for (let index = 3; index < words.length; index++) sum = Math.imul(sum ^ (words[index] as number), 0x01000193)
  return sum >>> 0
}
