/** Holds the sources to docs/architecture.md and docs/adr/0001: who imports whom, complete registries, names, sizes, forbidden ways. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Import, importsOf, type SourceFile, sourceFiles, textOf } from './support/source-tree.ts'

const test = suite('architecture')

const sources = sourceFiles(['graph', 'cache', 'tasks', 'src'])
const tests = sourceFiles(['test'])
/** Its examples are strings that look like what it forbids. */
const thisFile = 'test/architecture.test.ts'

/** Fails with one line for each problem, so that one run shows them all. */
function none(problems: readonly string[]): void {
  assert.is(problems.length, 0, `\n  ${problems.join('\n  ')}\n`)
}

function problemsOf(files: readonly SourceFile[], problem: (file: SourceFile) => readonly string[] | string | undefined): string[] {
  return files.flatMap((file) => {
    const found = problem(file) ?? []
    return (typeof found === 'string' ? [found] : found).map((text) => `${file.path}: ${text}`)
  })
}

// --- who may import whom ----------------------------------------------------------------------------------------

interface ImportRule {
  readonly name: string
  readonly applies: (path: string) => boolean
  readonly allows: (target: string, path: string) => boolean
}

const isOurs = (target: string) => /^(graph|cache|tasks|src|test|scripts)\//.test(target)
const below = (...folders: string[]) => {
  return (path: string) => folders.some((folder) => path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`))
}
const isPure = (path: string) => below('src/pipelines', 'src/config', 'src/providers')(path) || path === 'src/releases/release.ts'
const isCommand = (path: string) => below('src/commands')(path) && path !== 'src/commands/index.ts'

const importRules: readonly ImportRule[] = [
  {
    name: 'graph imports only @dagrejs/graphlib and node:crypto',
    applies: below('graph'),
    allows: (target) => below('graph')(target) || target === '@dagrejs/graphlib' || target === 'node:crypto',
  },
  {
    name: 'cache imports graph and nothing else of ours',
    applies: below('cache'),
    allows: (target) => !isOurs(target) || below('cache', 'graph')(target),
  },
  {
    name: 'tasks import graph, zod and node, and nothing else; only rendering writes YAML',
    applies: below('tasks'),
    allows: (target, path) =>
      below('tasks', 'graph')(target) ||
      target === 'zod' ||
      target.startsWith('node:') ||
      (target === 'yaml' && below('tasks/rendering')(path)),
  },
  {
    name: 'src imports no test and no script',
    applies: below('src'),
    allows: (target) => !below('test', 'scripts')(target),
  },
  {
    name: 'src/ui and src/hosts import nothing in src but contracts, addresses and their own folder',
    applies: below('src/ui', 'src/hosts'),
    allows: (target, path) =>
      !below('src')(target) || ['src/contracts.ts', 'src/host-address.ts'].includes(target) || target.split('/')[1] === path.split('/')[1],
  },
  {
    name: 'a command imports no other command',
    applies: isCommand,
    allows: (target) => !below('src/commands')(target),
  },
  {
    name: 'src/config, src/pipelines, src/providers and src/releases/release.ts import neither hosts nor ui',
    applies: isPure,
    allows: (target) => !below('src/hosts', 'src/ui')(target),
  },
]

for (const { name, applies, allows } of importRules) {
  test(name, () => {
    const files = sources.filter((file) => applies(file.path))
    none(
      problemsOf(files, (file) => file.imports.filter(({ target }) => !allows(target, file.path)).map(({ target }) => `imports ${target}`)),
    )
  })
}

test('graph reads no clock, no chance and no environment', () => {
  const forbidden = /\b(Date\b|Math\.random|process\.|performance\.|randomUUID|randomBytes|console\.)/
  none(
    problemsOf(
      sources.filter(({ path }) => below('graph')(path)),
      (file) => forbidden.exec(code(file.text))?.[0],
    ),
  )
})

test('relative imports end in .ts and name a file that exists', () => {
  const known = new Set([...sources, ...tests].map(({ path }) => path))
  none(
    problemsOf([...sources, ...tests], (file) =>
      file.imports
        .filter(({ specifier }) => specifier.startsWith('.') && !specifier.endsWith('.json') && file.path !== thisFile)
        .filter(({ specifier, target }) => !specifier.endsWith('.ts') || !known.has(target))
        .map(({ specifier }) => `imports ${specifier}`),
    ),
  )
})

test('no file but a registry or the library entry re-exports values of another', () => {
  const mayReExport = (path: string) => path === 'src/index.ts' || registryFile.test(path)
  none(
    problemsOf(
      sources.filter(({ path }) => !mayReExport(path)),
      (file) => file.imports.filter(({ isReExport, isType }) => isReExport && !isType).map(({ specifier }) => `re-exports ${specifier}`),
    ),
  )
})

test('what every start pays for loads no heavy package', () => {
  const light = new Set(['commander', 'chalk'])
  const entries = ['src/main.ts', 'src/cli/bin.ts', 'src/cli/program.ts', 'src/commands/index.ts']
  const chains = entries.flatMap((entry) => eagerPackages(entry)).filter(({ name }) => !name.startsWith('node:') && !light.has(name))
  none(chains.map(({ name, chain }) => `${chain.join(' → ')} → ${name}`))
})

/** Packages that loading `entry` loads at once, each with the chain of files that leads there. */
function eagerPackages(entry: string): { name: string; chain: string[] }[] {
  const byPath = new Map(sources.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const found: { name: string; chain: string[] }[] = []
  const visit = (path: string, chain: string[]): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const { target, isType, isLazy } of byPath.get(path)?.imports ?? []) {
      if (isType || isLazy) continue
      if (isOurs(target)) visit(target, [...chain, target])
      else found.push({ name: target, chain })
    }
  }
  visit(entry, [entry])
  return found
}

// --- registries ---------------------------------------------------------------------------------------------------

const registryFile = /^(tasks|src\/commands|src\/providers\/[a-z]+)\/index\.ts$/

/** Files that belong in an index but are not imported by it. */
function missingFrom(index: string, members: readonly string[]): string[] {
  const listed = new Set(sources.find(({ path }) => path === index)?.imports.map(({ target }) => target))
  return members.filter((path) => !listed.has(path)).map((path) => `${path} is not in ${index}`)
}

test('every kind is in tasks/index.ts', () => {
  const kinds = sources.filter(({ path, text }) => /^tasks\/[^/]+\.ts$/.test(path) && /=\s*defineTask\b/.test(text)).map(({ path }) => path)
  assert.ok(kinds.length > 0)
  none(missingFrom('tasks/index.ts', kinds))
})

test('every command is in src/commands/index.ts', () => {
  none(
    missingFrom(
      'src/commands/index.ts',
      sources.map(({ path }) => path).filter((path) => isCommand(path)),
    ),
  )
})

test('every provider is in the index of its role', () => {
  const providers = sources.map(({ path }) => path).filter((path) => /^src\/providers\/[a-z]+\/(?!index\.ts$)[^/]+\.ts$/.test(path))
  none(providers.flatMap((path) => missingFrom(path.replace(/[^/]+$/, 'index.ts'), [path])))
})

test('index.ts is a name for registries only', () => {
  const indexes = sources.map(({ path }) => path).filter((path) => path.endsWith('/index.ts'))
  none(indexes.filter((path) => !registryFile.test(path) && path !== 'src/index.ts'))
})

// --- files ----------------------------------------------------------------------------------------------------------

const longestLines = 250
/** Longer files, and why they are better whole. */
const longFiles: Readonly<Record<string, string>> = {
  'src/hosts/ssh-sftp.ts': 'the requests of one protocol, side by side',
}

test('no file is longer than 250 lines without a reason', () => {
  const tooLong = problemsOf(sources, ({ path, text }) => {
    const lines = text.split('\n').length - 1
    return lines > longestLines && longFiles[path] === undefined ? `${lines} lines` : undefined
  })
  const short = Object.keys(longFiles).filter((path) => {
    const file = sources.find((source) => source.path === path)
    return file === undefined || file.text.split('\n').length - 1 <= longestLines
  })
  none([...tooLong, ...short.map((path) => `${path} needs no exception any more`)])
})

test('files are named in kebab-case, for what they hold', () => {
  const vague = /(^|\/)(utils?|helpers?|common|misc|shared|types)\.ts$/
  const problems = [...sources, ...tests].map(({ path }) => path).filter((path) => path !== 'graph/types.ts')
  none(problems.filter((path) => vague.test(path) || !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(path)))
})

test('every test file runs its suite, and every suite is named for its file', () => {
  const files = tests.filter(({ path }) => path.endsWith('.test.ts'))
  assert.ok(files.length > 0)
  none(
    problemsOf(files, ({ path, text }) => {
      const name = path.replace(/^test\/(src\/)?/, '').replace(/\.test\.ts$/, '')
      const suites = [...text.matchAll(/\b(\w+) = (?:suite|await (?:lab|edge)Suite)(?:<[^>]*>)?\('([^']*)'[,)]/g)]
      if (suites.length === 0) return 'has no suite'
      const [idle] = suites.filter(([, variable]) => !new RegExp(`^${variable}\\.run\\(\\)$`, 'm').test(text))
      if (idle) return `${idle[1]}.run() is missing at the end of the file`
      const titles = suites.map(([, , title]) => (title ?? '').replace(/^src\//, ''))
      return titles.some((title) => title.startsWith(name) || name.startsWith(`${title}/`)) ? undefined : `no suite is named ${name}`
    }),
  )
})

// --- forbidden ways ---------------------------------------------------------------------------------------------

/** Source without comments. Strings stay: what is forbidden in them is forbidden too. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

const forbiddenCode: readonly { readonly name: string; readonly pattern: RegExp; readonly except?: string }[] = [
  { name: 'a shell string', pattern: /\bshell:\s*(true|['"`])/ },
  { name: 'exec or execSync of node:child_process', pattern: /import\s*\{[^}]*\b(exec|execSync)\b[^}]*\}\s*from\s*'node:child_process'/ },
  { name: 'a command string for execa', pattern: /\bimport\s*\{[^}]*(\bexecaCommand|\bexecaSync|\$)[^}]*\}\s*from\s*'execa'/ },
  { name: 'text put together into exec()', pattern: /\.exec\(\s*(`[^`]*\$\{|'[^']*'\s*\+|[\w.]+\s*\+)/ },
  // A line of the user's own, written for a shell, is the one thing that meets one.
  { name: 'a sh -c', pattern: /'(sh|bash|\/bin\/sh|\/bin\/bash)',\s*'-l?c'/, except: 'src/pipelines/user-tasks.ts' },
  { name: 'console', pattern: /\bconsole\.\w+\(/ },
  { name: 'a check switched off', pattern: /biome-ignore|@ts-(ignore|expect-error|nocheck)|oxlint-disable|eslint-disable/ },
  { name: 'any', pattern: /\bas any\b|:\s*any\b/ },
]

for (const { name, pattern, except } of forbiddenCode) {
  test(`no source has ${name}${except === undefined ? '' : `, but ${except}`}`, () => {
    const checked = sources.filter(({ path }) => path !== except)
    none(problemsOf(checked, ({ text }) => pattern.exec(name.startsWith('a check') ? text : code(text))?.[0].replace(/\s+/g, ' ')))
  })
}

test('no source, document or script leaves work behind as a note', () => {
  const pattern = /\b(TODO|FIXME|XXX|HACK)\b/
  const own = 'test/architecture.test.ts'
  none(
    problemsOf(
      [...sources, ...tests].filter(({ path }) => path !== own),
      ({ text }) => pattern.exec(text)?.[0],
    ),
  )
})

test('no source names a machine path or a private address', () => {
  const pattern =
    /(?<![\w.~])\/(home|root|Users|work|tmp|mnt)\/|(?<![\d.])(10\.\d{1,3}|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])/
  none(problemsOf(sources, ({ text }) => pattern.exec(text)?.[0]))
})

test('no two kinds share a name', () => {
  const names = sources.flatMap(({ path, text }) => {
    if (!/^tasks\/[^/]+\.ts$/.test(path)) return []
    return [...text.matchAll(/defineTask<[^(]*\(\{\s*name: '([a-z_]+)'/g)].map(([, name]) => name ?? '')
  })
  none(names.filter((name, index) => names.indexOf(name) !== index))
})

test('.ci/run is bash that stops at what it does not expect', () => {
  assert.ok(textOf('.ci/run').startsWith('#!/usr/bin/env bash\nset -euo pipefail\n'))
})

// --- the rules themselves -----------------------------------------------------------------------------------------

const importForms: readonly [string, Partial<Import> | undefined][] = [
  [`import { a } from './a.ts'`, { target: 'src/ui/a.ts', isType: false, isLazy: false }],
  [`import {\n  a,\n  type B,\n} from '../b.ts'`, { target: 'src/b.ts', isType: false }],
  [`import type { a } from './a.ts'`, { target: 'src/ui/a.ts', isType: true }],
  [`import { type A, type B } from './a.ts'`, { isType: true }],
  [`import 'node:fs'`, { target: 'node:fs' }],
  [`import * as z from 'zod/mini'`, { target: 'zod' }],
  [`import { Graph } from '@dagrejs/graphlib/x'`, { target: '@dagrejs/graphlib' }],
  [`export * from './a.ts'`, { target: 'src/ui/a.ts', isReExport: true }],
  [`export { a } from './a.ts'`, { target: 'src/ui/a.ts', isReExport: true }],
  [`const { a } = await import('./a.ts')`, { target: 'src/ui/a.ts', isLazy: true }],
  [`type A = typeof import('./a.ts')`, { target: 'src/ui/a.ts', isType: true, isLazy: false }],
  [`export const a = 'from'`, undefined],
  [`const text = "import { a } from './a.ts'"`, undefined],
]

for (const [text, expected] of importForms) {
  test(`an import is read from ${JSON.stringify(text)}`, () => {
    const found = importsOf('src/ui/here.ts', text)
    if (expected === undefined) return assert.equal(found, [])
    assert.is(found.length, 1)
    for (const [key, value] of Object.entries(expected)) assert.is(found[0]?.[key as keyof Import], value, key)
  })
}

test.run()
