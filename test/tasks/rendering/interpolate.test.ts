import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { renderComposeText } from '../../../tasks/rendering/compose-text.ts'
import { renderEnvFile } from '../../../tasks/rendering/env-file.ts'
import { interpolate } from '../../../tasks/rendering/interpolate.ts'
import { evaluate, variableNames } from '../../../tasks/rendering/template.ts'
import { composeEnvironment, hasCompose } from './docker-compose.ts'

const test = suite('tasks/rendering/interpolate')

/** `<NAME>` for a placeholder: keeps them apart from those of this language. */
const holder = (text: string) => text.replace(/<([^<>]+)>/g, '$${$1}')
const plain = { NAME: 'web', EMPTY: '', PRICE: holder('$5 <NAME>'), BROKEN: 'a}b' }
const secretValues = { SECRET: 's3cr$t', BLANK: '' }
const scope = { plain, secrets: new Set(Object.keys(secretValues)) }

const table = parse(readFileSync(new URL('../../../../test/golden/render/interpolation.table.yml', import.meta.url), 'utf8')) as {
  readonly filled: readonly (readonly [template: string, text: string])[]
  readonly refused: readonly (readonly [template: string, kind: string, name: string, message: string])[]
}

for (const [template, expected] of table.filled)
  test(`${template} becomes ${expected}`, () => assert.equal(interpolate(template, scope), { text: expected, problems: [] }))
for (const [template, kind, name, message] of table.refused)
  test(`${template} is ${kind}`, () => {
    const { problems } = interpolate(template, scope)
    assert.equal(
      problems.map((problem) => [problem.kind, problem.name]),
      [[kind, name]],
    )
    assert.match(problems[0]?.message ?? '', new RegExp(message))
  })

test('all problems of a text are reported, not the first', () => {
  assert.equal(
    interpolate('$A $NAME $C', scope).problems.map(({ name }) => name),
    ['A', 'C'],
  )
})
test('a name that is both plain and secret is a secret', () => {
  assert.is(interpolate('$A', { plain: { A: 'seen' }, secrets: new Set(['A']) }).text, '$A')
})
test('names are found wherever they stand', () => {
  assert.equal(variableNames(`$A \${B:-$C ${holder('<D:+$E>')}} $$F $A`), ['A', 'B', 'C', 'D', 'E'])
})
test('a template is evaluated in full, once', () => {
  const lookup = (name: string) => ({ A: '$B', B: 'b' })[name]
  assert.is(evaluate(holder('<A> $$B <C:-$B> <C> <A:+x> $'), lookup), '$B $B b  x $')
})

const composed = hasCompose ? test : test.skip
composed('Compose makes the same of the rendered text as of the text the user wrote', () => {
  const file = (texts: readonly string[]) =>
    renderComposeText({
      services: { app: { image: 'x', environment: Object.fromEntries(texts.map((text, index) => [`V${index}`, text])) } },
    })
  const templates = table.filled.map(([template]) => template)
  const values: Readonly<Record<string, string>> = { ...plain, ...secretValues }
  const asWritten = composeEnvironment({ 'docker-compose.yml': file(templates), '.env': renderEnvFile(values) })
  const rendered = templates.map((template) => interpolate(template, scope).text)
  assert.equal(composeEnvironment({ 'docker-compose.yml': file(rendered), '.env': renderEnvFile(secretValues) }), asWritten)
  for (const [index, template] of templates.entries())
    assert.is(
      evaluate(template, (name) => values[name]),
      asWritten[`V${index}`],
      template,
    )
})

test.run()
