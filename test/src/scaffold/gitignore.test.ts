import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withIgnoredFolder } from '../../../src/scaffold/gitignore.ts'

const test = suite('src/scaffold/gitignore')

const ours = withIgnoredFolder(undefined) ?? ''

test('a new file holds only our lines', () => {
  assert.match(ours, /^# Stagecraft.*\n\.stagecraft\/\*\n/)
  assert.is(withIgnoredFolder(''), ours)
})
test('our lines follow what is there, with or without a line break at its end', () => {
  assert.is(withIgnoredFolder('dist\n'), `dist\n\n${ours}`)
  assert.is(withIgnoredFolder('dist'), `dist\n\n${ours}`)
})
for (const text of [
  ours,
  '.stagecraft',
  '/.stagecraft/\r\n',
  '**/.stagecraft/',
  '.stagecraft/*',
  '!.stagecraft/releases.json',
  'a\n  .stagecraft/  \nb',
]) {
  test(`${JSON.stringify(text)} is left alone`, () => assert.is(withIgnoredFolder(text), undefined))
}
test('a comment or another name is not a rule', () => {
  assert.ok(withIgnoredFolder('# .stagecraft/\n.stagecraft-old/\n'))
})

test.run()
