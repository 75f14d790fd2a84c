import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blobsOf } from '../../cache/action-record.ts'
import { isSafePath, parseSharedRecord } from '../../cache/signed-result.ts'
import { digestOf, digestOfResult } from '../../graph/fingerprint.ts'
import { keyOf } from './stored.ts'

const test = suite('cache/signed-result')

const key = keyOf('api')
const digest = digestOf('bytes')
const file = { digest, executable: false, mode: 0o644 }
const base = { schema: 1, fingerprint: key, result: { files: { 'dist/app': file }, values: {} }, sizes: { [digest]: 5 } }
const withResult = (result: object) => JSON.stringify({ ...base, result: { ...base.result, ...result } })

function refused(text: string): string | undefined {
  const record = parseSharedRecord(text, key)
  return 'refused' in record ? record.refused : undefined
}

test('what a task makes is accepted', () => {
  const result = {
    files: { 'dist/app': file, 'a/.env': file, '..a/b': file },
    links: { 'dist/latest': 'app', 'dist/up': '../a', 'deep/er/x': '../../dist/app' },
    folders: ['empty'],
    log: digest,
    values: { a: [1, { b: null }] },
  }
  assert.is(refused(withResult(result)), undefined)
  const record = parseSharedRecord(withResult(result), key)
  assert.equal('result' in record && blobsOf(record.result), [digest])
})

const unsafe = ['../x', '/etc/passwd', 'a/../b', './a', 'a//b', 'a/', '', 'a\0b', 'a\nb', 'a\\..\\b', 'C:/x', '.git/hooks/post-checkout']
unsafe.push('sub/.git/config', '.GIT/config', '.g\u200cit/config', '.git./x', 'git~1/x', '.stagecraft/project.key', 'stagecraft.yml')
unsafe.push('StageCraft.YAML', 'a/__proto__/b', 'x'.repeat(5000))
for (const path of unsafe) {
  test(`a file at ${JSON.stringify(path.slice(0, 30))} is refused, as a file, a link and a folder`, () => {
    assert.not(isSafePath(path))
    const files = JSON.stringify({ ...base, result: { values: {}, files: {} } }).replace(
      '"files":{}',
      `"files":{${JSON.stringify(path)}:${JSON.stringify(file)}}`,
    )
    assert.ok(refused(files))
    assert.ok(refused(withResult({ links: { [path]: 'app' } })) ?? path === '__proto__')
    assert.ok(refused(withResult({ folders: [path] })))
  })
}

for (const target of ['/etc', '../../x', 'a/../../..', '.git/config', '../.git', '', 'x\0', 'C:\\x', '..', 'sub/../../../x'])
  test(`a link from dist to ${JSON.stringify(target)} is ${target === '..' ? 'accepted' : 'refused'}`, () => {
    assert.is(refused(withResult({ links: { 'dist/x': target } })) === undefined, target === '..')
  })

const bombs: readonly [string, string][] = [
  ['a file below a link', withResult({ links: { out: 'elsewhere' }, files: { 'out/x': file } })],
  ['a file below a link in other letters', withResult({ links: { Out: 'elsewhere' }, files: { 'out/x': file } })],
  ['a file below a file', withResult({ files: { out: file, 'out/x': file } })],
  ['a link where a file is', withResult({ links: { 'dist/app': 'x' } })],
  ['set-uid bits', withResult({ files: { a: { ...file, mode: 0o4755 } } })],
  ['a mode that is none', withResult({ files: { a: { ...file, mode: '644' } } })],
  ['a log that is none', withResult({ log: '../x' })],
  ['a blob without a size', JSON.stringify({ ...base, sizes: {} })],
  ['a blob of absurd size', JSON.stringify({ ...base, sizes: { [digest]: 1e15 } })],
  ['a blob of negative size', JSON.stringify({ ...base, sizes: { [digest]: -1 } })],
  ['values nested without end', withResult({}).replace('"values":{}', `"values":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)],
  ['a number without end', withResult({}).replace('"values":{}', '"values":{"a":1e999}')],
  ['a prototype', withResult({}).replace('"values":{}', '"values":{"__proto__":{"x":1}}')],
  ['another fingerprint', JSON.stringify({ ...base, fingerprint: keyOf('web') })],
  ['values that are a list', withResult({ values: [] })],
  ['links that are a list', withResult({ links: [] })],
  ['folders that are a map', withResult({ folders: {} })],
]
for (const [what, text] of bombs) test(`${what} is refused`, () => assert.ok(refused(text)))

test('parts this version does not know are left out', () => {
  const record = parseSharedRecord(withResult({ run: 'rm', files: { a: { ...file, owner: 0 } } }), key)
  assert.equal('result' in record && record.result, { files: { a: file }, values: {} })
})

test('any change to a record is refused, or yields a result that can be worked with', () => {
  const text = withResult({ links: { 'dist/latest': 'app' }, values: { port: 80 } })
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 6 }), (at, insert) => {
      const record = parseSharedRecord(text.slice(0, at) + insert + text.slice(at + insert.length), key)
      if ('refused' in record) return
      digestOfResult(record.result)
      for (const path of Object.keys(record.result.files)) assert.ok(isSafePath(path), path)
    }),
    { numRuns: 3000 },
  )
})

test.run()
