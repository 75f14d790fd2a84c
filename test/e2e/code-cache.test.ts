/** Compiled code that the published program keeps between runs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'

const test = suite('e2e/code-cache')
const base = mkdtempSync(join(tmpdir(), 'stagecraft-code-'))
test.after(() => rmSync(base, { recursive: true }))
cpSync(fileURLToPath(new URL('../../../bin', import.meta.url)), join(base, 'bin'), { recursive: true })
writeFileSync(join(base, 'stagecraft.yml'), 'project: {name: demo}\ntasks:\n  one: {command: echo one, cache: false}\n')
const program = join(base, 'bin', 'stagecraft.js')

const { NODE_EXTRA_CA_CERTS: _, NODE_DISABLE_COMPILE_CACHE: __, ...rest } = process.env
// Coverage has no use for code that was compiled before. Left out, Node would hand it on all the same.
const outer = { ...rest, NODE_V8_COVERAGE: '' }
let homes = 0

function home(): { readonly env: NodeJS.ProcessEnv; readonly code: string } {
  const folder = join(base, `home-${homes++}`)
  mkdirSync(folder, { mode: 0o700 })
  return { env: { ...outer, XDG_CACHE_HOME: folder }, code: join(folder, 'stagecraft', 'code') }
}

function run(words: readonly string[], env: NodeJS.ProcessEnv): readonly unknown[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { cwd: base, env, encoding: 'utf8' })
  return [status, stdout, stderr]
}

/** Changes when the file is written anew. */
const stampsIn = (folder: string) => readdirSync(folder).map((name) => `${name} ${statSync(join(folder, name)).ino}`)

test('three runs of a command add to what is kept of it, and the fourth says the same without', () => {
  const { env, code } = home()
  const first = run(['graph'], env)
  assert.is(first[0], 0)
  const stamps = [stampsIn(code)]
  for (let time = 1; time < 5; time++) {
    assert.equal(run(['graph'], env), first)
    stamps.push(stampsIn(code))
  }
  assert.is(readdirSync(code).length, 1)
  assert.equal(stamps[3], stamps[2])
  assert.equal(stamps[4], stamps[2])
  run(['--help'], env)
  assert.is(readdirSync(code).length, 2)
})

test('code that was tampered with is not run', () => {
  const { env, code } = home()
  const first = run(['graph'], env)
  const file = join(code, readdirSync(code)[0] ?? '')
  const bytes = readFileSync(file)
  for (let at = 5000; at < bytes.length; at += 1000) bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
  assert.equal(run(['graph'], env), first)
})

test('a bundle whose text was edited does as its text says', () => {
  const { env } = home()
  const edited = join(base, 'edited')
  cpSync(join(base, 'bin'), edited, { recursive: true })
  const look = () => spawnSync(process.execPath, [join(edited, 'stagecraft.js'), 'version', '--verbose'], { env, encoding: 'utf8' }).stdout
  assert.match(look(), /^platform /m)
  for (const name of readdirSync(join(edited, 'chunks')).filter((file) => /^version-.*\.js$/.test(file))) {
    const chunk = join(edited, 'chunks', name)
    writeFileSync(chunk, readFileSync(chunk, 'utf8').replace('platform ', 'Platform '))
  }
  assert.match(look(), /^Platform /m)
})

test('a folder that others can write to is left as it is, and so is the switch of Node', () => {
  const { env, code } = home()
  mkdirSync(code, { recursive: true })
  chmodSync(code, 0o777)
  assert.is(run(['graph'], env)[0], 0)
  assert.equal(readdirSync(code), [])
  chmodSync(code, 0o700)
  run(['graph'], { ...env, NODE_DISABLE_COMPILE_CACHE: '1' })
  assert.equal(readdirSync(code), [])
  // Nowhere to keep anything.
  assert.is(run(['graph'], { ...env, XDG_CACHE_HOME: '/proc/nowhere' })[0], 0)
  assert.is(run(['graph'], { ...env, XDG_CACHE_HOME: '', HOME: '' })[0], 0)
})

test('many that write at once leave one whole file', async () => {
  const { env, code } = home()
  const start = (): ChildProcess => spawn(process.execPath, [program, 'graph'], { cwd: base, env, stdio: 'ignore' })
  const children = Array.from({ length: 6 }, start)
  const ends = await within(60_000, Promise.all(children.map((child) => once(child, 'close'))))
  assert.equal(new Set(ends.map(([status]) => status)), new Set([0]))
  assert.is(readdirSync(code).length, 1)
  assert.is(run(['graph'], env)[0], 0)
})

test.run()
