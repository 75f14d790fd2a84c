/** Keys a person presses while a watch waits. */
export type Key = 'run' | 'quit'

/** What the bytes of one key press ask for. In raw mode Ctrl-C and Ctrl-D are bytes like any other. */
export function keyOf(text: string): Key | undefined {
  if (text === 'q' || text === 'Q' || text === '\u0003' || text === '\u0004') return 'quit'
  return text === 'r' || text === 'R' || text === '\r' || text === '\n' ? 'run' : undefined
}

/** Listens until the returned function is called; without a terminal there are no keys. */
export function listenForKeys(stdin: NodeJS.ReadStream, onKey: (key: Key) => void): () => void {
  if (stdin.isTTY !== true) return () => undefined
  const onData = (chunk: Buffer) => {
    for (const character of chunk.toString('utf8')) {
      const key = keyOf(character)
      if (key !== undefined) onKey(key)
    }
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  stdin.resume()
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
