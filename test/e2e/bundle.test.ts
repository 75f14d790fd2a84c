import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

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
  const chunks = readdirSync(join(installed, 'bin', 'chunks')).filter((file) => file.endsWith('.mjs'))
  const script = `for (const file of ${JSON.stringify(chunks)}) await import('./bin/chunks/' + file)`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: installed, encoding: 'utf8', env })
  assert.equal([result.status, result.stderr], [0, ''])
})

test('fault points are not in it', () => {
  for (const file of readdirSync(join(installed, 'bin'), { recursive: true, encoding: 'utf8' })) {
    if (/\.m?js$/.test(file)) assert.is(spawnSync('grep', ['-c', 'env.STAGECRAFT_FAULT', join(installed, 'bin', file)]).status, 1, file)
  }
})

test.run()
