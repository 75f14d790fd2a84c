import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { TaskFailure } from '../../../tasks/kind.ts'
import { renderComposeText } from '../../../tasks/rendering/compose-text.ts'
import { renderEnvFile } from '../../../tasks/rendering/env-file.ts'
import { composeEnvironment, hasCompose } from './docker-compose.ts'

const test = suite('tasks/rendering/env-file')

const nasty: Readonly<Record<string, string>> = {
  EMPTY: '',
  SPACES: '  two  spaces  ',
  DOLLAR: `p$w $HOME \${PATH} $$ $`,
  BRACES: `\${A:-b} {} }{`,
  HASH: 'a #b #',
  SINGLE: "it's",
  DOUBLE: 'say "hi"',
  BOTH: `'"'"`,
  BACKSLASH: 'C:\\new\\table\\',
  BACKSLASHES: '\\\\\\',
  BACKSLASH_QUOTE: '\\"\\\'',
  BACKSLASH_DOLLAR: '\\$A \\\\$B',
  ESCAPES: '\\n \\t \\0101 \\x41 \\u0041',
  LINES: 'one\ntwo\n\n',
  LINES_QUOTED: 'one \'x\'\n"two" \\\n$three',
  CARRIAGE: 'a\r\nb\r',
  CARRIAGE_QUOTED: "it's\r\n",
  TABS: '\ta\t',
  UNICODE: 'naïve 日本 🚀 \u2028 \u00a0',
  EQUALS: 'a=b==',
  COLON: 'a: b',
  EXPORT: 'export A=1',
  KEY: '-----BEGIN KEY-----\nMIIE+/=\n-----END KEY-----\n',
  JSON: '{"a":"$b","c":[1,"\\n"]}',
  URL: 'postgres://u:p%40$s@db:5432/x?a=b#c',
}

test('names are sorted and every line ends', () => {
  assert.is(renderEnvFile({ B: '2', A: 'a b' }), "A='a b'\nB='2'\n")
  assert.is(renderEnvFile({}), '')
})
test('a value with quotes or backslashes is escaped in double quotes', () => {
  assert.is(renderEnvFile({ A: `it's $5 "\\"` }), 'A="it\'s \\$5 \\"\\\\\\""\n')
})
test('names and values that no environment can hold are refused without showing the value', () => {
  for (const [name, value] of [
    ['A B', 'hush'],
    ['1A', 'hush'],
    ['', 'hush'],
    ['A', 'hu\0sh'],
  ] as const) {
    try {
      renderEnvFile({ [name]: value })
      assert.unreachable()
    } catch (error) {
      assert.instance(error, TaskFailure)
      assert.not.match(JSON.stringify((error as TaskFailure).failure), /hu.*sh/)
    }
  }
})

const composed = hasCompose ? test : test.skip
const service = (environment: Readonly<Record<string, string>>) => ({ services: { app: { image: 'x', environment } } })

composed('Docker Compose reads every value back for interpolation', () => {
  const environment = Object.fromEntries(Object.keys(nasty).map((name) => [`COPY_${name}`, `\${${name}}`]))
  const read = composeEnvironment({ 'docker-compose.yml': renderComposeText(service(environment)), '.env': renderEnvFile(nasty) })
  assert.equal(read, Object.fromEntries(Object.entries(nasty).map(([name, value]) => [`COPY_${name}`, value])))
})
composed('Docker Compose reads every value back from env_file', () => {
  const file = renderComposeText({ services: { app: { image: 'x', env_file: ['.env'] } } })
  assert.equal(composeEnvironment({ 'docker-compose.yml': file, '.env': renderEnvFile(nasty) }), nasty)
})
composed('Docker Compose reads back values nobody thought of', () => {
  const character = fc.constantFrom(...'\'"\\$#{}:-=% \t\r\nn0aé🚀\u0085')
  const value = fc.string({ unit: character, maxLength: 12 })
  const values = fc.sample(value, { numRuns: 400, seed: 7 })
  const named = Object.fromEntries(values.map((text, index) => [`V${index}`, text]))
  const file = renderComposeText({ services: { app: { image: 'x', env_file: ['.env'] } } })
  assert.equal(composeEnvironment({ 'docker-compose.yml': file, '.env': renderEnvFile(named) }), named)
})

test.run()
