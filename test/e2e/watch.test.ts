/** `stagecraft watch` as it is published: started, fed with edits, told to end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('e2e/watch')
const program = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))

const manifest = `project: {name: shop}
tasks:
  gen: {command: 'cat src/a.txt > gen.txt', inputs: ['src/**'], outputs: [gen.txt]}
  test: {command: 'echo "saw $(cat gen.txt)"', inputs: [gen.txt], needs: [gen]}
  format: {command: 'tr a-z A-Z < code.txt > tmp && mv tmp code.txt', inputs: [code.txt], outputs: [code.txt]}
`

class Watch {
  readonly directory: string
  readonly #child: ChildProcess
  #text = ''
  #from = 0
  #look: () => void = () => undefined

  constructor(directory: string, ...targets: readonly string[]) {
    this.directory = directory
    const env = { PATH: process.env['PATH'], HOME: directory }
    this.#child = spawn(process.execPath, [program, 'watch', ...targets], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString()
        this.#look()
      })
    }
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text)
  }

  /** What is said from where the last wait ended to the next time it says `text`. */
  async says(text: string): Promise<string> {
    const seen = new Promise<string>((resolve) => {
      this.#look = () => {
        const at = this.#text.indexOf(text, this.#from)
        if (at === -1) return
        const said = this.#text.slice(this.#from, at + text.length)
        this.#from = at + text.length
        this.#look = () => undefined
        resolve(said)
      }
      this.#look()
    })
    return within(20_000, seen).catch((error: Error) => {
      throw new Error(`${error.message}, waiting for ${JSON.stringify(text)} after:\n${this.#text}`)
    })
  }

  async end(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGINT')
    return within(10_000, ended)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function watching(targets: readonly string[], work: (watch: Watch) => Promise<void>): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    mkdirSync(join(directory, 'src'))
    for (const [path, text] of [
      ['stagecraft.yml', manifest],
      ['src/a.txt', 'one'],
      ['code.txt', 'abc'],
    ] as const)
      writeFileSync(join(directory, path), text)
    const watch = new Watch(directory, ...targets)
    try {
      await work(watch)
    } finally {
      watch.kill()
    }
  })
}

test('runs, and again what a saved file touches; what tasks write sets off nothing; ends with 0', () =>
  watching(['test'], async (watch) => {
    assert.match(await watch.says('waiting for changes'), 'saw one')
    watch.write('src/a.txt', 'two')
    const second = await watch.says('waiting for changes')
    assert.match(second, 'src/a.txt changed')
    assert.match(second, 'saw two')
    watch.write('unrelated.txt', 'x')
    watch.write('src/a.txt', 'three')
    const third = await watch.says('waiting for changes')
    assert.match(third, 'saw three')
    assert.is(third.match(/── /g)?.length, 1, 'one run for it')
    assert.is(await watch.end(), 0)
  }))

test('a mistake in the manifest is told, and its correction runs', () =>
  watching(['test'], async (watch) => {
    await watch.says('waiting for changes')
    watch.write('stagecraft.yml', manifest.replace('inputs: [gen.txt]', 'inptus: [gen.txt]'))
    assert.match(await watch.says('waiting for changes'), 'did you mean `inputs`?')
    watch.write('stagecraft.yml', manifest.replace('saw', 'SAW'))
    assert.match(await watch.says('waiting for changes'), 'SAW one')
    assert.is(await watch.end(), 0)
  }))

test('a folder that is removed and comes back, many times, ends in the right state', () =>
  watching(['test'], async (watch) => {
    await watch.says('waiting for changes')
    for (let round = 0; round < 100; round++) {
      rmSync(join(watch.directory, 'src'), { recursive: true })
      mkdirSync(join(watch.directory, 'src'))
      watch.write('src/a.txt', `round ${round}`)
    }
    await watch.says('saw round 99')
    assert.is(await watch.end(), 0)
  }))

test('a formatter that rewrites what it reads settles', () =>
  watching(['format'], async (watch) => {
    await watch.says('waiting for changes')
    watch.write('code.txt', 'def')
    await watch.says('code.txt changed')
    await watch.says('waiting for changes')
    watch.write('code.txt', 'ghi')
    const said = await watch.says('waiting for changes')
    assert.ok((said.match(/▶ format/g)?.length ?? 0) <= 3, said)
    assert.is(await watch.end(), 0)
  }))

test.run()
