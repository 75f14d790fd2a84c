/** `stagecraft watch` as it is published: started, fed with edits, told to end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { accepts, freePort, isRunning } from '../support/processes.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'

const test = suite('e2e/watch')
const program = fileURLToPath(new URL('../../../bin/stagecraft.js', import.meta.url))

const manifest = `project: {name: shop}
tasks:
  gen: {command: 'cat src/a.txt > gen.txt', inputs: ['src/**'], outputs: [gen.txt]}
  test: {command: 'echo "saw $(cat gen.txt)"', inputs: [gen.txt], needs: [gen]}
  format: {command: 'tr a-z A-Z < code.txt > tmp && mv tmp code.txt', inputs: [code.txt], outputs: [code.txt]}
`

type Files = readonly (readonly [path: string, text: string])[]

/** A server that tells its process id to whoever asks, and an endless helper of it. */
function serverFiles(port: number): Files {
  const server = `import { createServer } from 'node:http'
createServer((_, response) => response.end(String(process.pid))).listen(${port}, '127.0.0.1')
`
  const text = `project: {name: shop}
tasks:
  db: {command: 'echo db up; exec sleep 1000', inputs: [db.conf], service: {ready: {line: up}}}
  dev: {command: [node, server.mjs], inputs: [server.mjs], after: [db], service: {ready: {http: 'http://127.0.0.1:${port}/'}}}
  e2e: {command: 'echo tested', inputs: [e2e.txt], needs: [dev]}
  bad: {command: 'exit 1', inputs: [bad.txt], needs: [dev]}
`
  return [
    ['stagecraft.yml', text],
    ['server.mjs', server],
    ['db.conf', '1'],
    ['e2e.txt', '1'],
    ['bad.txt', '1'],
  ]
}

const pidAt = async (port: number): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text())

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

async function watching(targets: readonly string[], work: (watch: Watch) => Promise<void>, more: Files = []): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    mkdirSync(join(directory, 'src'))
    for (const [path, text] of [['stagecraft.yml', manifest], ['src/a.txt', 'one'], ['code.txt', 'abc'], ...more] as const)
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

test('services stay up between runs, are started anew when they changed or ended, and end with the watch', async () => {
  const port = await freePort()
  await watching(
    ['e2e', 'dev'],
    async (watch) => {
      await watch.says('db and dev keep running; waiting for changes')
      const first = await pidAt(port)
      watch.write('e2e.txt', '2')
      assert.match(await watch.says('waiting for changes'), 'tested')
      assert.is(await pidAt(port), first, 'a save that is not its own leaves it alone')
      watch.write('server.mjs', `${readFileSync(join(watch.directory, 'server.mjs'), 'utf8')}// changed\n`)
      const restarted = await watch.says('waiting for changes')
      assert.match(restarted, '▶ dev  server.mjs changed')
      assert.match(restarted, 'tested', 'what needs it runs again')
      assert.not.match(restarted, '▶ db')
      const second = await pidAt(port)
      assert.is.not(second, first)
      assert.not(isRunning(first))
      process.kill(second, 'SIGKILL')
      await watch.says('it is started again at the next change')
      watch.write('e2e.txt', '3')
      assert.match(await watch.says('waiting for changes'), '▶ dev  it had ended')
      const third = await pidAt(port)
      assert.is(await watch.end(), 0)
      assert.not(isRunning(third))
      assert.not(await accepts(port))
    },
    serverFiles(port),
  )
})

test('a run that fails leaves services running, and a mistake in the manifest does', async () => {
  const port = await freePort()
  await watching(
    ['bad'],
    async (watch) => {
      await watch.says('db and dev keep running; waiting for changes')
      const pid = await pidAt(port)
      watch.write('bad.txt', '2')
      assert.match(await watch.says('waiting for changes'), 'failed after')
      const text = readFileSync(join(watch.directory, 'stagecraft.yml'), 'utf8')
      watch.write('stagecraft.yml', `${text}wrong: 1\n`)
      assert.match(await watch.says('waiting for changes'), 'error[')
      assert.is(await pidAt(port), pid)
      watch.write('stagecraft.yml', text.replace(', after: [db]', '').replace(/ {2}db:.*\n/, ''))
      assert.match(await watch.says('dev keeps running; waiting for changes'), 'failed after')
      assert.is(await pidAt(port), pid, 'what is no task any more is stopped, and the others are not')
      assert.is(await watch.end(), 0)
      assert.not(await accepts(port))
    },
    serverFiles(port),
  )
})

test.run()
