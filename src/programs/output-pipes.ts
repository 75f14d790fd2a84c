/**
 * One pipe for both outputs of a program. What Node makes itself are two sockets: the order of what is written to both is lost, and a script
 * that opens `/dev/stdout` or `/dev/stderr` fails with ENXIO, as sockets cannot be opened. Node cannot make a pipe without a name, so these are
 * FIFOs, made by `mkfifo` a handful at a time and used again; where that is not to be had, programs get Node's sockets.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface OutputPipe {
  /** Absolute: for another process that starts the program. */
  readonly path: string
  /** For the program. Close it once the program has it: then the stream ends when the last process that has it ends. */
  readonly writeEnd: number
  /** For us; never blocks. Whoever has it closes it. */
  readonly readEnd: number
  /** Its end was read, so nobody has it open: it may be used again. One that was given up is not. */
  giveBack(): void
}

const madeAtOnce = 16

export class OutputPipes {
  readonly #directory: string
  readonly #free: string[] = []
  #count = 0
  #isImpossible = false

  /** @param directory where they may be, made when the first is. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** @returns undefined where there are no FIFOs. */
  open(): OutputPipe | undefined {
    if (this.#free.length === 0 && !this.#isImpossible) this.#isImpossible = !this.#make()
    const path = this.#free.pop()
    if (path === undefined) return undefined
    // A reader first: opening the other end would wait for it.
    const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const writeEnd = openSync(path, constants.O_WRONLY)
    return { path, writeEnd, readEnd, giveBack: () => this.#free.push(path) }
  }

  close(): void {
    if (this.#count > 0) rmSync(this.#directory, { recursive: true, force: true })
    this.#free.length = 0
    this.#isImpossible = true
  }

  #make(): boolean {
    if (this.#count === 0) mkdirSync(this.#directory, { mode: 0o700 })
    const paths = Array.from({ length: madeAtOnce }, (_, index) => join(this.#directory, String(this.#count + index)))
    this.#count += madeAtOnce
    if (spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' }).status !== 0) return false
    this.#free.push(...paths.reverse())
    return true
  }
}

/** Gives the parent's end back, however the start went. */
export function closeWriteEnd(pipe: OutputPipe | undefined): void {
  if (pipe) closeSync(pipe.writeEnd)
}
