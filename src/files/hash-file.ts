import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Files up to this size are hashed in one call; also how much of a larger one is in memory at once. */
const pieceBytes = 1024 * 1024
const piece = Buffer.allocUnsafe(pieceBytes)

/**
 * Hex SHA-256 of a file's bytes. Does not follow a symbolic link and does not wait at a pipe, even one that took the file's place since it was listed.
 * @throws the system's error, also when the path is no file.
 */
export function hashFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is not a file any more')
    let length = readSync(file, piece)
    if (length < pieceBytes) return hash('sha256', piece.subarray(0, length), 'hex')
    const hasher = createHash('sha256')
    for (; length > 0; length = readSync(file, piece)) hasher.update(piece.subarray(0, length))
    return hasher.digest('hex')
  } finally {
    closeSync(file)
  }
}
