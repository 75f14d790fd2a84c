import { createInterface } from 'node:readline'
import type { App } from '../contracts.ts'

export interface Question {
  readonly text: string
  /** Taken for an empty line and at the end of input. */
  readonly fallback: string
  /** What is wrong with an answer; it is then asked again. */
  readonly check?: (answer: string) => string | undefined
}

export interface Questions {
  /** @throws the signal's reason when the run is interrupted meanwhile. */
  ask(question: Question): Promise<string>
  confirm(text: string): Promise<boolean>
  close(): void
}

/** Whether there is a person to ask. */
export function canAsk(app: App): boolean {
  return app.stdin.isTTY === true && app.stderr.isTTY === true && !app.env['CI']
}

/** Asks on stderr and reads whole lines; the terminal edits them, so Ctrl-C stays a signal. */
export function openQuestions(app: App): Questions {
  const reader = createInterface({ input: app.stdin, terminal: false })
  // An iterator keeps lines that were typed ahead; events would lose them between two questions.
  const lines = reader[Symbol.asyncIterator]()
  const stop = (): void => reader.close()
  app.signal.addEventListener('abort', stop, { once: true })

  const readLine = async (prompt: string): Promise<string | undefined> => {
    app.signal.throwIfAborted()
    app.stderr.write(prompt)
    const { value, done } = await lines.next()
    app.signal.throwIfAborted()
    if (done) app.stderr.write('\n')
    return done ? undefined : value.trim()
  }
  return {
    async ask({ text, fallback, check }) {
      while (true) {
        const line = await readLine(`${text}${fallback === '' ? '' : ` [${fallback}]`}: `)
        if (line === undefined || line === '') return fallback
        const problem = check?.(line)
        if (problem === undefined) return line
        app.stderr.write(`  ${problem}\n`)
      }
    },
    async confirm(text) {
      const line = await readLine(`${text} [Y/n] `)
      return line !== undefined && (line === '' || /^y(es)?$/i.test(line))
    },
    close() {
      app.signal.removeEventListener('abort', stop)
      reader.close()
    },
  }
}
