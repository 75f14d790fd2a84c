/** Where lines go: a pipe or a terminal that may be slow, or gone. */
export interface Sink {
  /** Fires when the reader has left, which is no failure: `| head` has seen enough. */
  readonly gone: AbortSignal
  /** Resolves when there is room for more, or nobody reads any more. */
  write(text: string): Promise<void>
  close(): void
}

export function openSink(stream: NodeJS.WritableStream, signal: AbortSignal): Sink {
  const gone = new AbortController()
  const leave = () => gone.abort()
  if ('destroyed' in stream && stream.destroyed === true) leave()
  stream.on('error', leave)
  stream.on('close', leave)
  const over = AbortSignal.any([gone.signal, signal])
  return {
    gone: gone.signal,
    async write(text) {
      if (gone.signal.aborted || stream.write(text) || over.aborted) return
      await new Promise<void>((resolve) => {
        const settle = () => {
          stream.off('drain', settle)
          over.removeEventListener('abort', settle)
          resolve()
        }
        stream.on('drain', settle)
        over.addEventListener('abort', settle)
      })
    },
    close() {
      stream.off('error', leave)
      stream.off('close', leave)
    },
  }
}
