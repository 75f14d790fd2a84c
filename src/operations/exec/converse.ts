/** Our own streams and those of a program in a container, until it ends. */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { App } from '../../contracts.ts'
import type { RunningInContainer, TerminalSize } from '../../hosts/engine-program.ts'
import { OutputFrames, type OutputPiece } from '../../hosts/output-frames.ts'

export interface Conversation {
  /** It reads what we read. */
  readonly input: boolean
  /** Both ends are terminals: keys go through as they are, Ctrl-C too. */
  readonly terminal: boolean
}

type Streams = Pick<App, 'stdin' | 'stdout' | 'stderr'>

/** Bytes go through unchanged, and no faster than they are taken. @returns its exit code. @throws TaskFailure when the connection broke off. */
export async function converse(running: RunningInContainer, { input, terminal }: Conversation, app: Streams): Promise<number> {
  const release = [
    ...(input ? [feed(running, app)] : []),
    ...(terminal ? [followSize(running, app.stdout), ...(input ? [rawKeys(app.stdin)] : [])] : []),
  ]
  try {
    await listen(running, terminal, (piece) => write(piece.stream === 'stdout' ? app.stdout : app.stderr, piece.bytes))
  } finally {
    for (const undo of release.reverse()) undo()
  }
  return running.exitCode()
}

/** Gives on every piece of output; a stream that breaks is told apart from one that ends by the exit code. */
export async function listen(
  { stream }: Pick<RunningInContainer, 'stream'>,
  terminal: boolean,
  take: (piece: OutputPiece) => Promise<void> | void,
): Promise<void> {
  // What is written after the program has ended goes nowhere.
  stream.on('error', () => undefined)
  const frames = new OutputFrames()
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer
      const pieces = terminal ? [{ stream: 'stdout', bytes } as const] : frames.take(bytes)
      for (const piece of pieces) await take(piece)
    }
  } catch (error) {
    if (error instanceof OutputGone) throw error
  }
}

/** Whoever read our output does not any more. */
class OutputGone extends Error {
  override readonly name = 'OutputGone'
}

async function write(target: Writable, bytes: Buffer): Promise<void> {
  if (target.destroyed) throw new OutputGone()
  if (!target.write(bytes)) await Promise.race([once(target, 'drain'), once(target, 'close')])
}

function feed({ stream }: RunningInContainer, { stdin }: Streams): () => void {
  stdin.pipe(stream)
  return () => {
    stdin.unpipe(stream)
    // A terminal, or a pipe nobody closes, would keep this process.
    stdin.pause()
    stdin.unref?.()
  }
}

function rawKeys(stdin: NodeJS.ReadStream): () => void {
  const before = stdin.isRaw
  stdin.setRawMode(true)
  return () => void stdin.setRawMode(before)
}

function followSize(running: RunningInContainer, stdout: NodeJS.WriteStream): () => void {
  // A size that was not told is told with the next change.
  const tell = () => void running.resize(terminalSize(stdout)).catch(() => undefined)
  tell()
  stdout.on('resize', tell)
  return () => void stdout.off('resize', tell)
}

export function terminalSize({ columns, rows }: Pick<NodeJS.WriteStream, 'columns' | 'rows'>): TerminalSize {
  return { columns: columns || 80, rows: rows || 24 }
}
