import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { quoteWord, shellCommand } from '../../../src/hosts/shell-quote.ts'

const test = suite('src/hosts/shell-quote')

const throughShell = (line: string) => execFileSync('/bin/sh', ['-c', line], { encoding: 'utf8' })
const word = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'))

test('a program gets exactly the words it was given, whatever is in them', () => {
  const property = fc.property(fc.array(word, { minLength: 1, maxLength: 40 }), (words) => {
    assert.equal(throughShell(shellCommand({ argv: ['printf', '%s\\0', ...words] })), words.map((text) => `${text}\0`).join(''))
  })
  fc.assert(property, { numRuns: 100 })
})

test('a directory and a variable arrive as they are, whatever is in them', () => {
  const property = fc.property(word, (value) => {
    assert.is(
      throughShell(shellCommand({ argv: ['sh', '-c', 'pwd; printf %s "$VALUE"'], cwd: '/usr', env: { VALUE: value } })),
      `/usr\n${value}`,
    )
  })
  fc.assert(property, { numRuns: 25 })
})

test('quotes are harmless in quotes', () => {
  assert.is(quoteWord("it's $HOME"), "'it'\\''s $HOME'")
  assert.is(quoteWord(''), "''")
})

test('a directory that looks like an option is still a directory', () => {
  assert.is(shellCommand({ argv: ['ls'], cwd: '-P' }), "cd -- './-P' && exec 'ls'")
})

test('variables are set for the program only', () => {
  assert.is(shellCommand({ argv: ['a b'], env: { X: '1 2' } }), "exec 'env' 'X=1 2' 'a b'")
})

test('what cannot be expressed is refused', () => {
  assert.throws(() => quoteWord('a\0b'), /NUL/)
  assert.throws(() => shellCommand({ argv: ['x'], env: { 'A;B': '' } }), /not a name/)
  assert.throws(() => shellCommand({ argv: ['x=y'], env: { A: '' } }), /with variables/)
})

test.run()
