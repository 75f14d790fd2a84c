import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('config/codes')

// Tests run from `dist/`; the sources and the page are beside it.
const root = new URL('../../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const codesIn = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1] ?? '')

const sources = readdirSync(new URL('src/config', root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const used = sources.flatMap((name) => codesIn(read(`src/config/${name}`), /'(SC1\d{3})'/g))
const listed = codesIn(read('spec/diagnostics.md'), /^\| (SC1\d{3}) \|/gm)

test('codes in the code and on the page are the same set', () => {
  assert.equal([...new Set(used)].sort(), [...listed].sort())
})
test('the page names each code once, in order', () => {
  assert.equal(listed, [...new Set(listed)].sort())
})

test.run()
