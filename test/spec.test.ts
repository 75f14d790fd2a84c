/** Holds spec/ to the code and to itself: a status is a claim, and a claim needs a page and tests. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { spelling } from '../src/cli/flag.ts'
import { globalFlags } from '../src/cli/global-options.ts'
import { flagsOf } from '../src/cli/schema-flags.ts'
import { commands } from '../src/commands/index.ts'
import { exitCodes } from '../src/contracts.ts'
import {
  claimProblems,
  dependencyProblems,
  entryProblems,
  type Feature,
  loadRegister,
  page,
  pageProblems,
  type Register,
} from './support/register.ts'
import { filesBelow, sourceFiles, textOf } from './support/source-tree.ts'

const test = suite('spec')

const register = loadRegister()
const sources = sourceFiles(['graph', 'cache', 'tasks', 'src'])

function none(problems: readonly string[]): void {
  assert.is(problems.length, 0, `\n  ${problems.join('\n  ')}\n`)
}

// --- the register ---------------------------------------------------------------------------------------------------

test('features have one id, a title, a known phase and a known status', () => {
  assert.ok(register.features.length >= 72)
  none(entryProblems(register))
})

test('a feature that claims to work names a page and tests that exist', () => none(claimProblems(register)))

test('every page belongs to one feature and says so in its front matter', () => none(pageProblems(register)))

test('features depend on features that exist, not on each other, and not on less than they claim', () => none(dependencyProblems(register)))

// --- the register and the code ------------------------------------------------------------------------------------

const ids = new Set(register.features.map(({ id }) => id))

test('every command names a feature whose page is a command page', () => {
  const commands = sources.filter(({ path }) => /^src\/commands\/(?!index\.ts$)/.test(path))
  none(
    commands.flatMap(({ path, text }) => {
      const named = /^export const feature = '([A-Z0-9_]+)'$/m.exec(text)?.[1]
      if (named === undefined) return [`${path} names no feature`]
      const spec = register.features.find(({ id }) => id === named)?.spec
      return spec?.startsWith('commands/') ? [] : [`${path} names ${named}, which has no page in spec/commands`]
    }),
  )
})

/** Flags in the tables of a page's inputs, those of the page it refers to included. */
function flagsOnPage(path: string): string[] {
  const found = register.pages.find((candidate) => candidate.path === path)
  const inputs = /^## Inputs\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(found?.text ?? '')?.[1] ?? ''
  const others = [...inputs.matchAll(/\]\(([a-z-]+\.md)\)/g)].map(([, name]) => path.replace(/[^/]+$/, name ?? ''))
  return [
    ...[...inputs.matchAll(/(?<![-\w])--([a-z][a-z-]*)/g)].map(([, flag]) => flag ?? ''),
    ...others.flatMap((other) => flagsOnPage(other)),
  ]
}

test('the flags of each command are on its page, and no others', async () => {
  const shared = new Set(globalFlags.map(({ name }) => name))
  const problems: string[] = []
  const real = new Map<string, Set<string>>()
  for (const [name, entry] of Object.entries(commands)) {
    const { feature, options } = await entry.load()
    const spec = register.features.find(({ id }) => id === feature)?.spec ?? ''
    const flags = flagsOf(options).map((flag) => spelling(flag).slice('--'.length))
    real.set(spec, new Set([...(real.get(spec) ?? []), ...flags]))
    const listed = flagsOnPage(spec)
    problems.push(...flags.filter((flag) => !listed.includes(flag)).map((flag) => `${name} --${flag} is not on spec/${spec}`))
  }
  for (const [spec, flags] of real) {
    const unknown = flagsOnPage(spec).filter((flag) => !flags.has(flag) && !shared.has(flag))
    problems.push(...unknown.map((flag) => `spec/${spec} lists --${flag}, which the command does not have`))
  }
  none(problems)
})

test('every task kind has a page', () => {
  const kinds = sources.filter(({ path, text }) => /^tasks\/[^/]+\.ts$/.test(path) && /=\s*defineTask\b/.test(text))
  const pages = new Set(register.pages.map(({ path }) => path))
  none(kinds.map(({ path }) => path.replace(/\.ts$/, '.md')).filter((path) => !pages.has(path)))
})

test('features named in code exist', () => {
  const named = sources.flatMap(({ path, text }) =>
    [...text.matchAll(/\bfeature(?: =|:) '([A-Z0-9_]+)'/g)].map(([, id]) => ({ path, id: id ?? '' })),
  )
  none(named.filter(({ id }) => !ids.has(id)).map(({ path, id }) => `${path} names ${id}`))
})

test('command pages list only exit codes there are, and say when each is given', () => {
  const known = new Set(Object.values(exitCodes).map(String))
  none(
    register.pages
      .filter(({ path }) => path.startsWith('commands/'))
      .flatMap(({ path, text }) => {
        const section = /^## Exit codes\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(text)?.[1] ?? ''
        const codes = [...section.matchAll(/^\| (\d+) +\| \S/gm)].map(([, code]) => code ?? '')
        if (codes.length === 0) return [`spec/${path} lists no exit code`]
        return codes.filter((code) => !known.has(code)).map((code) => `spec/${path} lists exit code ${code}`)
      }),
  )
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
      return links.filter((link) => !register.exists(`${folder}${link}`)).map((link) => `${path} links to ${link}`)
    }),
  )
})

test('decision records have numbers of their own, are listed in their index, and have every part', () => {
  const records = filesBelow('docs/adr', '.md').filter((path) => !path.endsWith('README.md'))
  const index = textOf('docs/adr/README.md')
  const parts = ['Context', 'Decision', 'Consequences', 'Alternatives']
  none(
    records.flatMap((path, position) => {
      const name = path.replace('docs/adr/', '')
      const problems: string[] = []
      const number = /^\d{4}-/.exec(name)?.[0]
      if (number === undefined) problems.push('has no number of four digits')
      else if (records[position - 1]?.startsWith(`docs/adr/${number}`)) problems.push(`has the number of ${records[position - 1]}`)
      if (!index.includes(`](${name})`)) problems.push('is not in the index')
      const headings = page(name, textOf(path)).headings
      for (const part of parts) if (!headings.includes(part)) problems.push(`has no section ${part}`)
      if (!/^Status: (proposed|accepted|superseded by \d{4}) · \d{4}-\d{2}-\d{2}$/m.test(textOf(path))) problems.push('has no status line')
      return problems.map((problem) => `${path} ${problem}`)
    }),
  )
})

// --- the rules themselves: each must be able to fail --------------------------------------------------------------

const good: Feature = { id: 'CLI_A', title: 'a', phase: 0, status: 'done', spec: 'commands/a.md', tests: ['test/a.test.ts'] }
const goodPage = page('commands/a.md', '---\nfeature: CLI_A\nversion: v1\nstatus: done\ndomain: commands\n---\n\n## Exit codes\n')
const whole: Register = { features: [good], pages: [goodPage], exists: () => true }
const rules = [entryProblems, claimProblems, pageProblems, dependencyProblems]

const broken: readonly [string, Register, RegExp][] = [
  ['an id in lower case', { ...whole, features: [{ ...good, id: 'cli_a' }] }, /SCREAMING_SNAKE/],
  ['the same id twice', { ...whole, features: [good, { ...good }] }, /listed twice/],
  ['an unknown status', { ...whole, features: [{ ...good, status: 'draft' as 'todo' }] }, /has status draft/],
  ['an unknown key', { ...whole, features: [{ ...good, owner: 'me' } as Feature] }, /unknown key owner/],
  ['an unknown phase', { ...whole, features: [{ ...good, phase: 11 }] }, /has phase 11/],
  ['no tests', { ...whole, features: [{ ...good, tests: [] }] }, /names no test/],
  ['tests and a page that do not exist', { ...whole, exists: () => false }, /does not exist/],
  ['a page without a feature', { ...whole, features: [] }, /belongs to no feature/],
  ['a page of two features', { ...whole, features: [good, { ...good, id: 'CLI_B' }] }, /belongs to CLI_A and CLI_B/],
  ['a page without front matter', { ...whole, pages: [page('commands/a.md', '## Exit codes\n')] }, /has no front matter/],
  [
    'a page in another domain',
    { ...whole, pages: [{ ...goodPage, front: { ...goodPage.front, domain: 'core' } }] },
    /its folder is commands/,
  ],
  ['a page of another status', { ...whole, features: [{ ...good, status: 'wip' }] }, /says status done/],
  ['a page in progress that does not say what is missing', { ...whole, features: [{ ...good, status: 'wip' }] }, /"Not yet"/],
  ['a command page without exit codes', { ...whole, pages: [{ ...goodPage, headings: [] }] }, /"Exit codes"/],
  ['an unknown dependency', { ...whole, features: [{ ...good, depends_on: ['CLI_B'] }] }, /is not listed/],
  [
    'a dependency that is not there yet',
    {
      ...whole,
      features: [
        { ...good, depends_on: ['CLI_B'] },
        { id: 'CLI_B', title: 'b', phase: 0, status: 'todo' },
      ],
    },
    /is done but depends on CLI_B/,
  ],
  ['a dependency on itself', { ...whole, features: [{ ...good, depends_on: ['CLI_A'] }] }, /CLI_A → CLI_A/],
]

test('a whole register has no problem', () => none(rules.flatMap((rule) => rule(whole))))

for (const [name, given, expected] of broken) {
  test(`the register refuses ${name}`, () => assert.match(rules.flatMap((rule) => rule(given)).join('\n'), expected))
}

test.run()
