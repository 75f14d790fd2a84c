import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderComposeText } from '../../../tasks/rendering/compose-text.ts'
import { renderEnvFile } from '../../../tasks/rendering/env-file.ts'
import { interpolate } from '../../../tasks/rendering/interpolate.ts'
import { evaluate, variableNames } from '../../../tasks/rendering/template.ts'
import { composeEnvironment, hasCompose } from './docker-compose.ts'

const test = suite('tasks/rendering/interpolate')

const plain = { NAME: 'web', EMPTY: '', PRICE: '$5 ${NAME}', constructor_: 'x' }
const secretValues = { SECRET: 's3cr$t', BLANK: '' }
const scope = { plain, secrets: new Set(Object.keys(secretValues)) }

const cases: readonly (readonly [template: string, text: string])[] = [
  ['plain', 'plain'],
  ['${NAME}', 'web'],
  ['$NAME-1', 'web-1'],
  ['$NAME_1${MISSING:-}', ''],
  ['a${NAME}b${NAME}c', 'awebbwebc'],
  ['${MISSING:-default}', 'default'],
  ['${MISSING-default}', 'default'],
  ['${EMPTY:-default}', 'default'],
  ['${EMPTY-default}', ''],
  ['${NAME:-default}', 'web'],
  ['${NAME:?needed}', 'web'],
  ['${EMPTY?needed}', ''],
  ['${NAME:+yes}', 'yes'],
  ['${EMPTY:+yes}', ''],
  ['${EMPTY+yes}', 'yes'],
  ['${MISSING:+yes}', ''],
  ['${MISSING+yes}', ''],
  ['${MISSING:-${NAME}-x}', 'web-x'],
  ['${MISSING:-${OTHER:-deep}}', 'deep'],
  ['${MISSING:-a}${NAME} }', 'aweb }'],
  ['${MISSING:-{"a": 1}} ${NAME}', '{"a": 1} web'],
  ['${MISSING:-{}}', '{}'],
  ['${MISSING:-a:b-c?d+e}', 'a:b-c?d+e'],
  ['$$', '$$'],
  ['$$NAME $${NAME}', '$$NAME $${NAME}'],
  ['$$$NAME', '$$web'],
  ['$1 $( $', '$1 $( $'],
  ['${PRICE}', '$$5 $${NAME}'],
  ['${MISSING:-p$$w}', 'p$$w'],
  ['${SECRET}', '${SECRET}'],
  ['$SECRET', '$SECRET'],
  ['${SECRET:-x}', '${SECRET:-x}'],
  ['${SECRET:?needed}', '${SECRET:?needed}'],
  ['pg://${NAME}:${SECRET}@$NAME', 'pg://web:${SECRET}@web'],
  ['${SECRET:-${NAME}}', '${SECRET:-web}'],
  ['${BLANK:-${PRICE}}', '${BLANK:-$$5 $${NAME}}'],
  ['${MISSING:-${SECRET}}', '${SECRET}'],
  ['${NAME:-${SECRET}}', 'web'],
]
for (const [template, expected] of cases.filter(([template]) => !template.startsWith('$NAME_1')))
  test(`${template} becomes ${expected}`, () => assert.equal(interpolate(template, scope), { text: expected, problems: [] }))

const wrong: readonly (readonly [template: string, kind: string, name: string, message: RegExp])[] = [
  ['${MISSING}', 'unresolved', 'MISSING', /no value and no default$/],
  ['$MISSING', 'unresolved', 'MISSING', /no value/],
  ['$NAME_1', 'unresolved', 'NAME_1', /no value/],
  ['${EMPTY:?fill it in}', 'unresolved', 'EMPTY', /: fill it in$/],
  ['${MISSING?say ${NAME}}', 'unresolved', 'MISSING', /: say web$/],
  ['${MISSING:-${OTHER}}', 'unresolved', 'OTHER', /no value/],
  ['${constructor}', 'unresolved', 'constructor', /no value/],
  ['${}', 'invalid', '${}', /not a valid placeholder/],
  ['${NAME', 'invalid', '${NAME', /not a valid placeholder/],
  ['${NAME!x}', 'invalid', '${NAME!x}', /not a valid placeholder/],
  ['${SECRET:-${BROKEN}}', 'invalid', 'SECRET', /brace or line break/],
]
for (const [template, kind, name, message] of wrong)
  test(`${template} is ${kind}`, () => {
    const { problems } = interpolate(template, { ...scope, plain: { ...plain, BROKEN: 'a}b' } })
    assert.equal(
      problems.map((problem) => [problem.kind, problem.name]),
      [[kind, name]],
    )
    assert.match(problems[0]?.message ?? '', message)
  })

test('all problems of a text are reported, not the first', () => {
  assert.equal(
    interpolate('${A} ${B:-${C}} ${}', scope).problems.map(({ name }) => name),
    ['A', 'C', '${}'],
  )
})
test('a name that is both plain and secret is a secret', () => {
  assert.is(interpolate('${A}', { plain: { A: 'seen' }, secrets: new Set(['A']) }).text, '${A}')
})
test('names are found wherever they stand', () => {
  assert.equal(variableNames('$A ${B:-${C} ${D:+$E}} $$F ${A}'), ['A', 'B', 'C', 'D', 'E'])
})
test('a template is evaluated in full, once', () => {
  const lookup = (name: string) => ({ A: '${B}', B: 'b' })[name]
  assert.is(evaluate('${A} $$B ${C:-$B} ${C} ${A:+x} $', lookup), '${B} $B b  x $')
})

const composed = hasCompose ? test : test.skip
composed('Compose makes the same of the rendered text as of the text the user wrote', () => {
  const file = (texts: readonly string[]) =>
    renderComposeText({
      services: { app: { image: 'x', environment: Object.fromEntries(texts.map((text, index) => [`V${index}`, text])) } },
    })
  const templates = cases.map(([template]) => template)
  const asWritten = composeEnvironment({
    'docker-compose.yml': file(templates),
    '.env': renderEnvFile({ ...plain, ...secretValues, NAME_1: '' }),
  })
  const rendered = templates.map((template) => interpolate(template, { ...scope, plain: { ...plain, NAME_1: '' } }).text)
  const asRendered = composeEnvironment({ 'docker-compose.yml': file(rendered), '.env': renderEnvFile(secretValues) })
  assert.equal(asRendered, asWritten)
  const values: Readonly<Record<string, string>> = { ...plain, ...secretValues, NAME_1: '' }
  const evaluated = templates.map((template) => evaluate(template, (name) => values[name]))
  assert.equal(Object.values(Object.fromEntries(templates.map((_, index) => [index, asWritten[`V${index}`]]))), evaluated)
})

test.run()
