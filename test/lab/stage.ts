import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createPaint, type Paint } from '../../src/ui/paint.ts'
import { decideColor } from '../../src/ui/terminal.ts'

/** Somebody pressed Ctrl+C: the play ends, what it set up is removed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

interface Timed {
  readonly what: string
  readonly seconds: number
}

/** Captions, and the real program in between with this terminal as its own. */
export class Stage {
  readonly program = join(dirname(fileURLToPath(import.meta.url)), '../../..', 'bin/stagecraft.js')
  #isInterrupted = false
  readonly #out: NodeJS.WriteStream
  readonly #paint: Paint
  readonly #timed: Timed[] = []
  #scene = 0
  #directory = process.cwd()
  #environment: NodeJS.ProcessEnv = process.env

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#paint = createPaint(decideColor(undefined, process.env, out))
    // The terminal tells the program as well, which ends in its own way; what follows here is to clean up.
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        this.#isInterrupted = true
      })
  }

  playIn(directory: string, variables: Readonly<Record<string, string>>): void {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('STAGECRAFT_'))
    this.#directory = directory
    this.#environment = { ...Object.fromEntries(inherited), ...variables }
  }

  /** @throws Interrupted */
  scene(title: string, caption = ''): void {
    this.#goOn()
    this.#scene++
    this.say(`\n${this.#paint.bold(`${this.#scene}. ${title}`)}${caption === '' ? '' : `\n   ${caption}`}\n`)
  }

  say(text: string): void {
    this.#out.write(`${text}\n`)
  }

  note(text: string): void {
    this.say(this.#paint.dim(`  ${text}`))
  }

  quote(text: string): void {
    for (const line of text.split('\n')) if (line !== '') this.note(line)
  }

  command(line: string): void {
    this.say(this.#paint.cyan(`$ ${line}`))
  }

  times(): void {
    const width = Math.max(...this.#timed.map(({ what }) => what.length))
    for (const { what, seconds } of this.#timed) this.say(`  ${what.padEnd(width)}  ${seconds.toFixed(1).padStart(6)} s`)
  }

  /**
   * Runs the program to its end, in the open.
   * @throws Interrupted, and when it says anything but done: there is nothing more to show then.
   */
  async stagecraft(what: string, ...args: string[]): Promise<void> {
    this.command(`stagecraft ${args.join(' ')}`)
    const startedAt = performance.now()
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(process.execPath, [this.program, ...args], {
        cwd: this.#directory,
        env: this.#environment,
        stdio: 'inherit',
      })
      child.on('error', reject)
      child.on('close', resolve)
    })
    const seconds = (performance.now() - startedAt) / 1000
    this.#timed.push({ what, seconds })
    this.note(`(${seconds.toFixed(1)} s)`)
    this.#goOn()
    if (code !== 0) throw new Error(`stagecraft ${args.join(' ')} ended with ${code}`)
  }

  #goOn(): void {
    if (this.#isInterrupted) throw new Interrupted('interrupted')
  }
}
