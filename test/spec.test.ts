/** Holds spec/ to the code and to itself: a status is a claim, and a claim needs a page and tests. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commands } from '../src/commands/index.ts'
import { exitCodes } from '../src/contracts.ts'
import { pagesOf } from '../src/gov/page.ts'
import { readRegister, registerPath } from '../src/gov/register.ts'
import { violationText } from '../src/gov/violation.ts'
import { govern } from '../src/operations/gov/check.ts'
import { readRepository } from '../src/operations/gov/read-repository.ts'
import { filesBelow, repository, sourceFiles, textOf } from './support/source-tree.ts'

const test = suite('spec')

const { files, exists } = readRepository(repository)
const { features } = readRegister(files.get(registerPath))
const pages = pagesOf({ files, exists })
const sources = sourceFiles(['graph', 'cache', 'tasks', 'src'])

function none(problems: readonly string[]): void {
  assert.is(problems.length, 0, `\n  ${problems.join('\n  ')}\n`)
}

test('`gov check` finds nothing in this repository, warnings included', async () => {
  const report = await govern(repository, { commands })
  assert.ok(report.features.length >= 72)
  none(report.violations.map(violationText))
})

// --- the register and the code ------------------------------------------------------------------------------------

const ids = new Set(features.map(({ id }) => id))

test('every command names a feature whose page is a command page', () => {
  const commands = sources.filter(({ path }) => /^src\/commands\/(?!index\.ts$)/.test(path))
  none(
    commands.flatMap(({ path, text }) => {
      const named = /^export const feature = '([A-Z0-9_]+)'$/m.exec(text)?.[1]
      if (named === undefined) return [`${path} names no feature`]
      const spec = features.find(({ id }) => id === named)?.spec
      return spec?.startsWith('commands/') ? [] : [`${path} names ${named}, which has no page in spec/commands`]
    }),
  )
})

test('every task kind has a page', () => {
  const kinds = sources.filter(({ path, text }) => /^tasks\/[^/]+\.ts$/.test(path) && /=\s*defineTask\b/.test(text))
  const paths = new Set(pages.map(({ path }) => path))
  none(kinds.map(({ path }) => path.replace(/\.ts$/, '.md')).filter((path) => !paths.has(path)))
})

test('features named in code exist', () => {
  const named = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bfeature(?: =|:) '([A-Z0-9_]+)'/g)].map(([, id]) => ({ path, id: id ?? '' })),
  )
  none(named.filter(({ id }) => !ids.has(id)).map(({ path, id }) => `${path} names ${id}`))
})

test('docs/reference/exit-codes.md lists every exit code and no other', () => {
  const listed = [...textOf('docs/reference/exit-codes.md').matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code))
  assert.equal(
    listed,
    Object.values(exitCodes).sort((a, b) => a - b),
  )
})

test('diagnostic codes in the code and in spec/diagnostics.md are the same', () => {
  const used = new Set(sources.flatMap(({ text }) => [...text.matchAll(/'(SC\d{4})'/g)].map(([, code]) => code ?? '')))
  const rows = [...textOf('spec/diagnostics.md').matchAll(/^\| (SC\d{4}) +\| \S/gm)].map(([, code]) => code ?? '')
  none([
    ...[...used].filter((code) => !rows.includes(code)).map((code) => `${code} is used but not on the page`),
    ...rows.filter((code) => !used.has(code)).map((code) => `${code} is on the page but not used`),
    ...rows.filter((code, index) => rows.indexOf(code) !== index).map((code) => `${code} is on the page twice`),
  ])
})

// --- documents --------------------------------------------------------------------------------------------------------

const documents = [...filesBelow('spec', '.md'), ...filesBelow('docs', '.md'), 'CONTRIBUTING.md']

test('links between documents lead somewhere', () => {
  none(
    documents.flatMap((path) => {
      const links = [...textOf(path).matchAll(/\]\((?!https?:|#)([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link ?? '')
      const folder = path.includes('/') ? path.replace(/[^/]+$/, '') : ''
      return links.filter((link) => !exists(`${folder}${link}`)).map((link) => `${path} links to ${link}`)
    }),
  )
})

test.run()
