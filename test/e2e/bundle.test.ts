import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { faultPoints } from '../../tasks/fault-points.ts'

const test = suite('e2e/bundle')
/** As npm would install it, without a single dependency next to it. */
const installed = mkdtempSync(join(tmpdir(), 'stagecraft-bundle-'))
const program = join(installed, 'bin', 'stagecraft.js')
cpSync(fileURLToPath(new URL('../../../bin', import.meta.url)), join(installed, 'bin'), { recursive: true })
writeFileSync(join(installed, 'package.json'), '{"type":"module"}')
test.after(() => rmSync(installed, { recursive: true }))

// Reading certificates at start-up is this machine's business.
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env

test('the published files need nothing next to them', () => {
  const result = spawnSync(program, ['version', '--verbose'], { cwd: installed, encoding: 'utf8', env })
  assert.equal([result.status, result.stderr], [0, ''])
  assert.match(result.stdout, /^stagecraft \d/)
  assert.is(spawnSync(program, ['deplyo'], { cwd: installed, env }).status, 1)
})

test('every module can be loaded on its own', () => {
  const chunks = readdirSync(join(installed, 'bin', 'chunks')).filter((file) => file.endsWith('.js'))
  assert.is(chunks.length > 50, true)
  const script = `for (const file of ${JSON.stringify(chunks)}) require('./bin/chunks/' + file)`
  const result = spawnSync(process.execPath, ['--input-type=commonjs', '-e', script], { cwd: installed, encoding: 'utf8', env })
  assert.equal([result.status, result.stderr], [0, ''])
})

test('no module is an ES module, nor loads one', () => {
  for (const file of readdirSync(join(installed, 'bin', 'chunks')).filter((name) => name.endsWith('.js'))) {
    const text = readFileSync(join(installed, 'bin', 'chunks', file), 'utf8')
    assert.not.match(text, /^(import|export) /m, file)
    assert.not.match(text, /^[^*`/]*[^.\w]import\(/m, file)
  }
})

test('fault points are not in it: neither the variable, nor the function, nor a name', () => {
  const words = ['STAGECRAFT_FAULT', 'faultPoint', 'cutAtFault', ...Object.keys(faultPoints)]
  for (const file of readdirSync(join(installed, 'bin'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.m?js$/.test(file)) continue
    const text = readFileSync(join(installed, 'bin', file), 'utf8')
    assert.equal(
      words.filter((word) => text.includes(word)),
      [],
      file,
    )
  }
})

test('a place in the bundle is told with its file and line, and its source map leads to the source', () => {
  const main = join(installed, 'bin', 'main.js')
  const map = JSON.parse(readFileSync(`${main}.map`, 'utf8')) as { sources: string[]; sourcesContent: string[] }
  assert.is(map.sources.includes('../src/main.ts'), true)
  assert.match(map.sourcesContent[map.sources.indexOf('../src/main.ts')] ?? '', 'export async function main')
})

test.run()
