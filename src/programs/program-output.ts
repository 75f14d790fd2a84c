/** What a program prints, on its way to whoever listens. */
import { closeSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { OutputPipe } from './output-pipes.ts'
import { ProgramLines } from './program-lines.ts'

export interface Lines {
  readonly redact: (text: string) => string
  readonly onLine: (line: string) => void
}

export interface Output {
  /** Settles when its last line has been passed on. */
  readonly closed: Promise<void>
  /** The program has ended: what there is to read is read now. */
  catchUp(): void
  /** Nothing more is read. */
  giveUp(): void
}

/** A program that ends before is read from once it has ended, which costs less than listening to it. */
const listenAfterMs = 10
/** What a pipe holds, usually. */
const piece = Buffer.allocUnsafe(64 * 1024)
/** What goes on writing after the program has ended is listened to. */
const mostAtOnce = 4

/** From a pipe of ours. Nothing is lost in the beginning: what the pipe cannot hold waits in the program. */
export function outputOfPipe(pipe: OutputPipe, lines: Lines): Output {
  const sink = new ProgramLines(lines.redact, lines.onLine)
  let listening: Output | undefined
  let isOver = false
  let settle = () => {}
  const closed = new Promise<void>((resolve) => (settle = resolve))
  const end = (isComplete: boolean): void => {
    isOver = true
    clearTimeout(timer)
    if (isComplete) pipe.giveBack()
    sink.end()
    settle()
  }
  const listen = (): Output => {
    clearTimeout(timer)
    const stream = new Socket({ fd: pipe.readEnd, readable: true, writable: false })
    let isComplete = false
    stream.once('end', () => (isComplete = true))
    listening = listenTo(stream, sink, () => end(isComplete))
    return listening
  }
  const timer = setTimeout(listen, listenAfterMs)
  return {
    closed,
    catchUp() {
      if (listening || isOver) return
      for (let count = 0; count < mostAtOnce; count++) {
        const length = readNow(pipe.readEnd)
        if (length === undefined) break
        if (length === 0) {
          closeSync(pipe.readEnd)
          end(true)
          return
        }
        sink.write(piece.subarray(0, length))
      }
      listen()
    },
    giveUp() {
      if (isOver) return
      const last = listening ?? listen()
      last.giveUp()
    },
  }
}

/** From a stream of Node's. */
export function outputOfStream(stream: Readable, lines: Lines): Output {
  const sink = new ProgramLines(lines.redact, lines.onLine)
  return listenTo(stream, sink, () => sink.end())
}

function listenTo(stream: Readable, sink: ProgramLines, end: () => void): Output {
  stream.on('data', (chunk: Buffer) => sink.write(chunk))
  const closed = new Promise<void>((resolve) => {
    stream.on('close', () => {
      end()
      resolve()
    })
  })
  return { closed, catchUp() {}, giveUp: () => void stream.destroy() }
}

/** @returns how much was read, 0 at the end; undefined when nothing is there yet. */
function readNow(file: number): number | undefined {
  try {
    return readSync(file, piece)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined
    throw error
  }
}
