/**
 * Container output as the Engine sends it: frames of 8 bytes (stream, 0, 0, 0, length) and content
 * (https://docs.docker.com/reference/api/engine/, "ContainerAttach, stream format"); bare text when the container has a terminal. Pure.
 */

/** Lines of stdout and stderr in the order they were sent; the two streams do not cut into each other's lines. */
export function logLines(bytes: Buffer): readonly string[] {
  if (!isFramed(bytes)) return linesOf(bytes)
  const lines: string[] = []
  const unfinished = new Map<number, Buffer>()
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const stream = bytes.readUInt8(offset)
    const end = offset + 8 + bytes.readUInt32BE(offset + 4)
    const content = Buffer.concat([unfinished.get(stream) ?? Buffer.alloc(0), bytes.subarray(offset + 8, end)])
    const lineEnd = content.lastIndexOf('\n') + 1
    lines.push(...linesOf(content.subarray(0, lineEnd)))
    unfinished.set(stream, content.subarray(lineEnd))
    offset = end
  }
  for (const rest of unfinished.values()) lines.push(...linesOf(rest))
  return lines
}

/** No text begins with these bytes. */
function isFramed(bytes: Buffer): boolean {
  return bytes.length >= 8 && bytes.readUInt8(0) <= 2 && bytes.readUIntBE(1, 3) === 0
}

function linesOf(bytes: Buffer): string[] {
  if (bytes.length === 0) return []
  return bytes
    .toString('utf8')
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
}
