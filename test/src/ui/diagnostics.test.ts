import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Diagnostic } from '../../../graph/types.ts'
import { renderDiagnostics } from '../../../src/ui/diagnostics.ts'

const test = suite('ui/diagnostics')

const unknownKey: Diagnostic = {
  code: 'SC1003',
  severity: 'error',
  message: 'unknown key `prot` in services.web',
  location: { file: 'stagecraft.yml', line: 9, column: 5, length: 4, text: '    prot: 3000' },
  suggestion: 'port',
  notes: [{ message: 'services.web.port is required' }],
}
const render = (...diagnostics: Diagnostic[]) => renderDiagnostics(diagnostics, { color: false })

test('a diagnostic shows its line, a caret, what may be meant and its notes', () => {
  assert.is(
    render(unknownKey),
    `error[SC1003]: unknown key \`prot\` in services.web
  ──▶ stagecraft.yml:9:5
    │
  9 │     prot: 3000
    │     ^^^^ did you mean \`port\`?
    = note: services.web.port is required

1 error
`,
  )
})
test('the gutter is as wide as the number of the line, notes have places of their own', () => {
  const first = { file: 'stagecraft.yml', line: 4, column: 3, length: 3, text: '  web:' }
  const location = { ...first, line: 1200 }
  assert.is(
    render({ code: 'SC1006', severity: 'warning', message: 'm', location, notes: [{ message: 'first given here', location: first }] }),
    `warning[SC1006]: m
  ──▶ stagecraft.yml:1200:3
       │
  1200 │   web:
       │   ^^^
       = note: first given here
         ──▶ stagecraft.yml:4:3

1 warning
`,
  )
})
test('without a place, message, suggestion and notes remain', () => {
  assert.is(
    render({ code: 'SC1001', severity: 'error', message: 'no file', suggestion: 'x', notes: [{ message: 'write one' }] }),
    'error[SC1001]: no file\n   = did you mean `x`?\n   = note: write one\n\n1 error\n',
  )
})
test('all are counted at the end', () => {
  const warning: Diagnostic = { code: 'SC1060', severity: 'warning', message: 'm' }
  assert.match(render(unknownKey, warning, unknownKey), /\n\n2 errors, 1 warning\n$/)
  assert.match(render(warning, warning), /\n\n2 warnings\n$/)
})
test('nothing wrong is no text', () => assert.is(render(), ''))
test('a long line is cut around the place', () => {
  const text = `${'a'.repeat(500)}HERE${'b'.repeat(500)}`
  const lines = render({ ...unknownKey, location: { file: 'f', line: 1, column: 501, length: 4, text } }).split('\n')
  const source = lines[3] ?? ''
  assert.ok(source.length < 140)
  assert.is(source.indexOf('HERE'), (lines[4] ?? '').indexOf('^^^^'))
  assert.ok(source.includes('…a') && source.endsWith('b…'))
})
test('a long line that goes wrong at its start is cut at its end only', () => {
  const location = { file: 'f', line: 1, column: 1, length: 2, text: `xy${'b'.repeat(500)}` }
  const lines = render({ ...unknownKey, location }).split('\n')
  assert.match(lines[3] ?? '', /^ {2}1 │ xyb+…$/)
  assert.match(lines[4] ?? '', /^ {4}│ \^\^ did/)
})
test('wide letters and tabs keep the caret in place', () => {
  const line = (text: string, column: number) =>
    render({ ...unknownKey, location: { file: 'f', line: 1, column, length: 1, text } }).split('\n')[4]
  assert.is(line('\t\tx', 3), '    │   ^ did you mean `port`?')
  assert.is(line('日本: x', 5), '    │       ^ did you mean `port`?')
  assert.is(line('e\u0301: x', 5), '    │    ^ did you mean `port`?')
})
test('a file cannot steer the terminal', () => {
  const hostile = '\u001b[2Jgone\u0007'
  const text = render({
    ...unknownKey,
    message: hostile,
    suggestion: hostile,
    notes: [{ message: hostile }],
    location: { file: hostile, line: 1, column: 1, length: 3, text: hostile },
  })
  assert.is(text.replaceAll('\n', '').match(/\p{Cc}/u), null)
})
test('colour only adds to the text', () => {
  const colored = renderDiagnostics([unknownKey], { color: true })
  assert.is.not(colored, render(unknownKey))
  assert.is(colored.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), ''), render(unknownKey))
})

test.run()
