/** Each rule of `gov check` on a small repository in memory: it holds for the whole one, and says all it has to say of a broken one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkRepository } from '../../../src/gov/check.ts'
import type { ProgramFacts } from '../../../src/gov/repository.ts'
import { violationText } from '../../../src/gov/violation.ts'

const test = suite('gov/rules')

type Files = Readonly<Record<string, string | undefined>>

const entry = '  - id: CLI_A\n    title: a\n    phase: 0\n    status: done\n    spec: commands/a.md\n    tests: [test/a.test.ts]\n'
const features = `features:\n${entry}`
const front = '---\nfeature: CLI_A\nversion: v1\nstatus: done\ndomain: commands\n---\n'
const rest = '\n## Inputs\n\n`--loud`\n\n## Exit codes\n\n| 0 | done |\n'
const record = 'Status: accepted · 2026-01-31\n\n## Context\n## Decision\n## Consequences\n## Alternatives\n'
const whole: Files = {
  'spec/features.yaml': features,
  'spec/commands/a.md': front + rest,
  'docs/adr/0001-a.md': record,
  'docs/adr/README.md': '# Records\n[0001](0001-a.md)\n',
  'test/a.test.ts': '',
}
const program: ProgramFacts = {
  commands: [{ name: 'a', feature: 'CLI_A', flags: ['loud'] }],
  globalFlags: ['quiet'],
  exitCodes: [0, 1],
}

function said(changed: Files, facts: ProgramFacts | undefined = program): string[] {
  const present = Object.entries({ ...whole, ...changed }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const files = new Map(present)
  const exists = (path: string) => files.has(path)
  return checkRepository({ files, exists, ...(facts === undefined ? {} : { program: facts }) }).violations.map(violationText)
}

const register = (from: string, to: string): Files => ({ 'spec/features.yaml': features.replace(from, to) })
const page = (from: string, to: string): Files => ({ 'spec/commands/a.md': (front + rest).replace(from, to) })
const more = (text: string): Files => ({ 'spec/features.yaml': features + text })
const other = (words: string) => `  - id: CLI_B\n    title: b\n    phase: 1\n${words}`
const keys = 'id, title, phase, status, spec, tests, depends_on'
const statuses = 'todo, wip, done, deprecated, removed, cancelled, v2'
const yaml = 'spec/features.yaml'
const spec = 'spec/commands/a.md'

const broken: readonly (readonly [name: string, files: Files, expected: readonly string[]])[] = [
  ['no register', { [yaml]: undefined }, [`error ${yaml}:1: INVALID_REGISTER: there is no such file; expected the list of all features`]],
  [
    'no list',
    { [yaml]: 'a: 1\n' },
    [`error ${yaml}:1: INVALID_REGISTER: has no list \`features\`; expected \`features:\` and its entries`],
  ],
  ['no id', more('  - title: b\n'), [`error ${yaml}:8: INVALID_FEATURE: entry 2 has no id; expected a map with \`id\``]],
  [
    'an id in lower case',
    more(other('    status: todo\n').replace('CLI_B', 'cli_b')),
    [`error [cli_b] ${yaml}:8: INVALID_FEATURE: has the id cli_b; expected SCREAMING_SNAKE case, like CLI_BUILD`],
  ],
  [
    'an id twice',
    more('  - id: CLI_A\n    title: b\n    phase: 1\n    status: todo\n'),
    [`error [CLI_A] ${yaml}:8: DUPLICATE_FEATURE: is listed on line 2 already; expected one entry`],
  ],
  ['no title', register('title: a', "title: ''"), [`error [CLI_A] ${yaml}:3: INVALID_FEATURE: has no title; expected some words`]],
  [
    'an unknown phase',
    register('phase: 0', 'phase: later'),
    [`error [CLI_A] ${yaml}:4: INVALID_FEATURE: has phase later; expected a whole number or one of architecture, governance, ours`],
  ],
  [
    'an unknown status',
    more(other('    status: draft\n')),
    [`error [CLI_B] ${yaml}:11: INVALID_FEATURE: has status draft; expected one of ${statuses}`],
  ],
  [
    'an unknown key',
    register('phase: 0', 'phase: 0\n    owner: me'),
    [`error [CLI_A] ${yaml}:5: INVALID_FEATURE: has an unknown key owner; expected ${keys}`],
  ],
  [
    'tests that are no list',
    more(other('    status: todo\n    tests: 1\n')),
    [`error [CLI_B] ${yaml}:12: INVALID_FEATURE: \`tests\` is not a list of words; expected [a, b]`],
  ],
  [
    'a page that is no word',
    more(other('    status: todo\n    spec: 1\n')),
    [`error [CLI_B] ${yaml}:12: INVALID_FEATURE: \`spec\` is not a word; expected the path of a page below spec/`],
  ],
  [
    'a claim of nothing',
    more(other('    status: wip\n')),
    [
      `error [CLI_B] ${yaml}:8: MISSING_SPEC: is wip but names no page; expected \`spec\``,
      `error [CLI_B] ${yaml}:8: MISSING_TESTS: is wip but names no test; expected \`tests\``,
    ],
  ],
  [
    'a test that is gone',
    { 'test/a.test.ts': undefined },
    [`error [CLI_A] ${yaml}:7: MISSING_TESTS: names test/a.test.ts, which does not exist; expected a test`],
  ],
  [
    'a page to come, which is a warning',
    more(other('    status: todo\n    spec: core/b.md\n')),
    [`warning [CLI_B] ${yaml}:12: MISSING_SPEC: names spec/core/b.md, which does not exist; expected a page`],
  ],
  [
    'an unknown dependency',
    more('    depends_on: [CLI_B]\n'),
    [`error [CLI_A] ${yaml}:8: UNKNOWN_DEPENDENCY: depends on CLI_B, which is not listed; expected the id of a feature`],
  ],
  [
    'a dependency that is not begun',
    more(`    depends_on:\n      - CLI_B\n${other('    status: todo\n')}`),
    [`error [CLI_A] ${yaml}:9: STATUS_INCONSISTENT: is done but depends on CLI_B, which is todo; expected done or wip`],
  ],
  [
    'a way back',
    more('    depends_on: [CLI_A]\n'),
    [`error [CLI_A] ${yaml}:8: CYCLE: features depend on each other: CLI_A → CLI_A; expected no way back`],
  ],
  [
    'a page of nobody',
    { 'spec/core/b.md': front.replace('commands', 'core') },
    ['error spec/core/b.md:1: ORPHAN_SPEC: belongs to no feature; expected one that names it as `spec`'],
  ],
  [
    'a page of two, one of which spells its whole path',
    more(other('    status: todo\n    spec: spec/commands/a.md\n')),
    [`error [CLI_A] ${spec}:1: SHARED_SPEC: belongs to CLI_A and CLI_B; expected one feature`],
  ],
  [
    'no front matter',
    page(front, ''),
    [
      `error [CLI_A] ${spec}:1: INVALID_FRONTMATTER: has no front matter; expected feature, version, status and domain between two lines of ---`,
    ],
  ],
  [
    'front matter that says otherwise',
    page(front, '---\nfeature: CLI_B\nversion: 1\nstatus: wip\n---\n'),
    [
      `error [CLI_A] ${spec}:1: INVALID_FRONTMATTER: does not say its domain; expected commands, its folder`,
      `error [CLI_A] ${spec}:2: INVALID_FRONTMATTER: says feature CLI_B; expected CLI_A, whose page it is`,
      `error [CLI_A] ${spec}:3: INVALID_FRONTMATTER: says version 1; expected v1, v2, …`,
      `error [CLI_A] ${spec}:4: INVALID_FRONTMATTER: says status wip; expected done, as in the register`,
    ],
  ],
  [
    'something in progress that does not say what is missing',
    { ...register('status: done', 'status: wip'), ...page('status: done', 'status: wip') },
    [`error [CLI_A] ${spec}:1: MISSING_SECTION: is wip but has no section "Not yet"; expected what is missing`],
  ],
  [
    'something done that says what is missing',
    page('## Inputs', '## Not yet\n\n## Inputs'),
    [`error [CLI_A] ${spec}:8: STATUS_INCONSISTENT: is done but has a section "Not yet"; expected wip, or no such section`],
  ],
  [
    'no exit codes',
    page('## Exit codes', '## Endings'),
    [`error [CLI_A] ${spec}:1: MISSING_SECTION: has no section "Exit codes"; expected a table of them`],
  ],
  [
    'an empty table of exit codes',
    page('| 0 | done |', 'none'),
    [`error [CLI_A] ${spec}:12: EXIT_CODE_MISSING: lists no exit code; expected rows like \`| 0 | done |\``],
  ],
  [
    'an exit code that there is none of',
    page('| 0 | done |', '| 0 | done |\n| 7 | odd |'),
    [`error [CLI_A] ${spec}:15: EXIT_CODE_UNKNOWN: lists exit code 7; expected one of 0, 1`],
  ],
  [
    'another flag than the command has',
    page('`--loud`', '`--quiet`, `--soft`'),
    [
      `error [CLI_A] ${spec}:8: FLAG_UNDOCUMENTED: \`a\` has --loud; expected it in the section "Inputs"`,
      `error [CLI_A] ${spec}:10: FLAG_UNKNOWN: lists --soft; expected flags that a command of CLI_A has`,
    ],
  ],
  [
    'a record without anything',
    { 'docs/adr/a.md': '' },
    [
      'error docs/adr/a.md:1: INVALID_RECORD: has no number; expected a name like 0001-title.md',
      ...['Alternatives', 'Consequences', 'Context', 'Decision'].map(
        (part) => `error docs/adr/a.md:1: INVALID_RECORD: has no section "${part}"; expected Context, Decision, Consequences, Alternatives`,
      ),
      'error docs/adr/a.md:1: INVALID_RECORD: has no status line; expected "Status: accepted · 2026-01-31", proposed or superseded by 0001',
      'error docs/adr/a.md:1: UNLISTED_RECORD: is not in the index; expected a link to it in docs/adr/README.md',
    ],
  ],
  [
    'a number used twice, and a row without a record',
    { 'docs/adr/0001-b.md': record, 'docs/adr/README.md': '[](0001-a.md)\n[](0001-b.md)\n[](0002-c.md)\n' },
    [
      'error docs/adr/0001-b.md:1: DUPLICATE_RECORD: has the number of docs/adr/0001-a.md; expected one of its own',
      'error docs/adr/README.md:3: UNLISTED_RECORD: lists 0002-c.md, which does not exist; expected a record',
    ],
  ],
]

test('a whole repository has no violation, with records and without', () => {
  assert.equal(said({}), [])
  assert.equal(said({ 'docs/adr/0001-a.md': undefined, 'docs/adr/README.md': undefined }), [])
})

for (const [name, files, expected] of broken) test(`says what is wrong with ${name}`, () => assert.equal(said(files), expected))

test('a register that is not YAML is refused at its line, and hides the rules that need it', () => {
  const [only = '', ...others] = said({ [yaml]: 'features:\n  - a: [\n' })
  assert.match(only, /^error spec\/features\.yaml:\d: INVALID_REGISTER: invalid YAML: .+; expected a YAML map$/)
  assert.equal(others, [])
})

test('a command needs a page in spec/commands', () => {
  const commands = [...program.commands, { name: 'b', feature: 'CLI_B', flags: [] }]
  assert.equal(said({}, { ...program, commands }), [
    `error [CLI_B] ${yaml}:1: COMMAND_WITHOUT_SPEC: \`b\` is of CLI_B, which has no page in spec/commands; expected one`,
  ])
})

test('flags may stand on a page that the inputs refer to, even when it refers back', () => {
  const second = front.replace('CLI_A', 'CLI_B') + rest.replace('`--loud`', '[a](a.md), `--loud`')
  const entries = entry.replace('CLI_A', 'CLI_B').replace('commands/a.md', 'commands/b.md')
  assert.equal(said({ ...page('`--loud`', '[b](b.md)'), ...more(entries), 'spec/commands/b.md': second }), [])
})

test('where the commands are not known, flags and exit codes are the page’s own', () => {
  const text = front + rest.replace('--loud', '--soft').replace('| 0 |', '| 7 |')
  const files = new Map([
    [yaml, features],
    [spec, text],
  ])
  assert.equal(checkRepository({ files, exists: () => true }).violations, [])
})

test.run()
