/** Parsers and decisions small enough to be tables. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nearest } from '../../../graph/nearest.ts'
import type { Json } from '../../../graph/types.ts'
import { parseDotenv } from '../../../src/config/dotenv.ts'
import { parseDuration } from '../../../src/config/duration.ts'
import { isRepository, repositoryOf } from '../../../src/config/image-reference.ts'
import { interpolate } from '../../../src/config/interpolate.ts'
import { pathText, valueAt } from '../../../src/config/json-path.ts'
import { projectPath } from '../../../src/config/project-path.ts'
import { fixedHostPorts } from '../../../src/config/published-ports.ts'
import { writableMounts } from '../../../src/config/stored-volumes.ts'
import { oneOf } from '../../../src/config/word-list.ts'
import { isAddress, parseHostAddress } from '../../../src/host-address.ts'

const test = suite('config/small-parts')

const dotenv: readonly (readonly [text: string, expected: Record<string, string>])[] = [
  ['', {}],
  ['A=1\nB = two words \r\nC=', { A: '1', B: 'two words', C: '' }],
  ['# comment\n\n  # another\nexport A=1', { A: '1' }],
  ['no equals sign\n=no key\nA=1', { A: '1' }],
  ['A=1\nA=2', { A: '2' }],
  ['A=a=b', { A: 'a=b' }],
  ['URL=https://x/#part\nB=1 # comment\nC=a#b', { URL: 'https://x/#part', B: '1', C: 'a#b' }],
  ['A= # only a comment', { A: '' }],
  [String.raw`A="a\"b\\n\n\t\r\x"`, { A: 'a"b\\n\n\t\r\\x' }],
  [String.raw`A='a\n"#b' # comment`, { A: String.raw`a\n"#b` }],
  ['A="# no comment" # comment', { A: '# no comment' }],
  ['A="not closed', { A: '"not closed' }],
  ['\ufeffA=1', { A: '1' }],
  ['A=${B}$C', { A: '${B}$C' }],
  ['__proto__=1', JSON.parse('{"__proto__": "1"}') as Record<string, string>],
]
for (const [text, expected] of dotenv) {
  test(`dotenv ${JSON.stringify(text)}`, () => assert.is(JSON.stringify(parseDotenv(text)), JSON.stringify(expected)))
}
// D29: chained replacements turned an escaped backslash before an n into a line break.
test('a quoted value comes back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab\\"n\n\t\r #=\'$') }), (value) => {
      const escaped = value.replace(/[\\"\n\t\r]/g, (letter) => ({ '\n': '\\n', '\t': '\\t', '\r': '\\r' })[letter] ?? `\\${letter}`)
      assert.equal(parseDotenv(`A="${escaped}"`), { A: value })
    }),
  )
})
test('no dotenv file makes it throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseDotenv(text) === 'object'))
})

const addresses: readonly (readonly [text: string, expected: ReturnType<typeof parseHostAddress>])[] = [
  ['node-1', { address: 'node-1' }],
  ['deploy@203.0.113.7', { user: 'deploy', address: '203.0.113.7' }],
  ['deploy@example.com:2222', { user: 'deploy', address: 'example.com', port: 2222 }],
  ['fd00::1', { address: 'fd00::1' }],
  ['a@[fd00::1]:22', { user: 'a', address: 'fd00::1', port: 22 }],
  ['[fe80::1%eth0]', { address: 'fe80::1%eth0' }],
  ...['', 'a b', '@host', 'user@', 'host:', 'host:0', 'host:70000', 'host:ssh', '-oProxy', '-l@host', 'a@-h', 'ssh://h', '[h', 'a@b@c'].map(
    (text) => [text, undefined] as const,
  ),
]
for (const [text, expected] of addresses) test(`host ${JSON.stringify(text)}`, () => assert.equal(parseHostAddress(text), expected))
test('an address is a name or a number', () => assert.equal([isAddress('a.b'), isAddress('::1'), isAddress('a;b')], [true, true, false]))

const durations: readonly (readonly [text: string, seconds: number | undefined])[] = [
  ['30s', 30],
  ['1m30s', 90],
  ['1h5m30s20ms', 3930.02],
  ['500ms', 0.5],
  ['1.5h', 5400],
  ['2d', 172_800],
  ['1w', 604_800],
  ['250us', 0.00025],
  ['0', 0],
  ['10', undefined],
  ['soon', undefined],
  ['', undefined],
  ['-1s', undefined],
]
for (const [text, seconds] of durations) test(`duration ${JSON.stringify(text)}`, () => assert.is(parseDuration(text), seconds))

const variables = { TAG: '1.2', EMPTY: '', DEEP: 'x' }
const templates: readonly (readonly [text: string, expected: string, ...missing: string[]])[] = [
  ['plain', 'plain'],
  ['$TAG-${TAG}', '1.2-1.2'],
  ['$$TAG', '$TAG'],
  ['${NO:-d}${NO-e}', 'de'],
  ['${EMPTY:-d}|${EMPTY-d}', 'd|'],
  ['${NO:-${DEEP}${NO-y}}', 'xy'],
  ['${TAG:+yes}${NO+no}', 'yes'],
  ['${NO}', '${NO}', 'NO'],
  ['$NO/x', '$NO/x', 'NO'],
  ['${NO:?must be set}', '${NO:?must be set}', 'NO'],
  ['${EMPTY:?must be set}', '${EMPTY:?must be set}', 'EMPTY'],
  ['${NO:-${ALSO}}', '${ALSO}', 'ALSO'],
  ['${', '${', '${'],
  ['${}', '${}', '${}'],
  ['a$', 'a$'],
  ['${constructor}', '${constructor}', 'constructor'],
]
for (const [text, expected, ...missing] of templates) {
  test(`interpolate ${text}`, () => assert.equal(interpolate(text, variables), { text: expected, missing }))
}

const references: readonly (readonly [text: string, repository: string, valid: boolean])[] = [
  ['web', 'web', true],
  ['ghcr.io/acme/web:1', 'ghcr.io/acme/web', true],
  ['localhost:5000/web', 'localhost:5000/web', true],
  ['localhost:5000/web:1@sha256:aa', 'localhost:5000/web', true],
  ['Web', 'Web', false],
  ['ghcr.io/acme/Web', 'ghcr.io/acme/Web', false],
]
for (const [text, repository, valid] of references) {
  test(`reference ${text}`, () => assert.equal([repositoryOf(text), isRepository(repositoryOf(text))], [repository, valid]))
}

const ports: readonly (readonly [ports: Json, fixed: readonly string[]])[] = [
  [['80:80'], ['80']],
  [['127.0.0.1:8080:80/udp'], ['8080']],
  [['[::1]:8080:80'], ['8080']],
  [['80', 3000], []],
  [['8080-8081:80'], []],
  [['8000-8001:8000-8001'], ['8000-8001']],
  [['${PORT:-8080}:80'], ['8080']],
  [['${EMPTY}:80'], []],
  [['${EMPTY}'], []],
  [['${NO}'], ['${NO}']],
  [['${NO}:80'], ['${NO}']],
  [['127.0.0.1::80'], []],
  [['0:80'], []],
  [[{ target: 80, published: 8080 }], ['8080']],
  [[{ target: 80, published: '8080-8090' }], []],
  [[{ target: 80 }], []],
  [null, []],
]
for (const [given, fixed] of ports) {
  test(`ports ${JSON.stringify(given)}`, () => assert.equal(fixedHostPorts({ ports: given }, variables), fixed))
}

const volumes: readonly (readonly [volumes: Json, written: readonly string[]])[] = [
  [['data:/data', './conf:/etc:ro', '/anonymous'], ['data']],
  [['${DATA:-/srv}:/data'], ['${DATA:-/srv}']],
  [['data:/data:ro,z'], []],
  [
    [
      { type: 'volume', source: 'a', target: '/a' },
      { type: 'bind', source: '/b', target: '/b', read_only: true },
    ],
    ['a'],
  ],
  [
    [
      { type: 'tmpfs', target: '/t' },
      { type: 'volume', target: '/v' },
    ],
    [],
  ],
]
for (const [given, written] of volumes) {
  test(`volumes ${JSON.stringify(given)}`, () => assert.equal(writableMounts({ volumes: given }), written))
}

const paths: readonly (readonly [path: string, from: string, expected: string | undefined])[] = [
  ['.', '.', '.'],
  ['./api/', '.', 'api'],
  ['..', 'deploy', '.'],
  ['../x', '.', undefined],
  ['/x', '.', undefined],
  ['~/x', '.', undefined],
]
for (const [path, from, expected] of paths) test(`${path} from ${from}`, () => assert.is(projectPath(path, from), expected))

const typos: readonly (readonly [word: string, expected: string | undefined])[] = [
  ['serivces', 'services'],
  ['service', 'services'],
  ['SERVICES', 'services'],
  ['hots', 'hosts'],
  ['x', undefined],
  ['nothing', undefined],
]
for (const [word, expected] of typos)
  test(`${word} may be ${expected}`, () => assert.is(nearest(word, ['hosts', 'services', 'ci']), expected))
test('choices read as a sentence', () => assert.equal([oneOf([]), oneOf(['a']), oneOf(['a', 'b', 'c'])], ['', '`a`', '`a`, `b` or `c`']))
test('paths read as people write them', () => {
  assert.is(pathText(['services', 'web', 'ports', 0, 'target']), 'services.web.ports[0].target')
  assert.is(valueAt({ a: [1] }, ['a', 'constructor']), undefined)
})

test.run()
