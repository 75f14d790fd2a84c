import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createRedactor } from '../../../src/secrets/redact.ts'

const test = suite('src/secrets/redact')

const secret = 'pa$$ "w/rd\\ü+x'
const forms: readonly (readonly [name: string, text: string])[] = [
  ['as it is', secret],
  ['as text in JSON', JSON.stringify({ secret })],
  ['percent-encoded', encodeURIComponent(secret)],
  ['as a form sends it', encodeURIComponent(secret).replaceAll('%20', '+')],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in base64 without padding', Buffer.from(secret).toString('base64').replace(/=+$/, '')],
  ['in the base64 of URLs', Buffer.from(secret).toString('base64url')],
]

for (const [name, text] of forms) {
  test(`hides a value ${name}`, () => {
    const shown = createRedactor([secret])(`before ${text} after`)
    assert.ok(shown.startsWith('before ') && shown.includes('***') && shown.endsWith(' after'), shown)
    assert.not.ok(shown.includes(text.replace(/^\{"secret":"|"\}$/g, '')), shown)
  })
}

test('hides a password in the base64 of basic authentication, wherever it begins', () => {
  for (const user of ['', 'a', 'an', 'anna']) {
    const header = Buffer.from(`${user}:correct-horse-battery`).toString('base64')
    const shown = createRedactor(['correct-horse-battery'])(`authorization: Basic ${header}`)
    assert.match(shown, /\*\*\*/)
    const left = Buffer.from(shown.replace(/.* |\*\*\*.*/g, ''), 'base64').toString()
    assert.not.match(left, /corr/)
  }
})

test('hides the longest value where one contains another', () => {
  assert.is(createRedactor(['abcd', 'abcdefgh', 'cdefghij'])('x abcdefghij y abcd'), 'x ***ij y ***')
})

test('hides each line of a value of several lines', () => {
  const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\r\nkqhkiG9w0BAQEF\n}\n-----END KEY-----\n'
  const redact = createRedactor([key])
  assert.is(redact(key), '***')
  assert.is(redact('| kqhkiG9w0BAQEF |'), '| *** |')
  assert.is(redact('}'), '}')
})

test('hides the password of a connection string by itself, encoded or not', () => {
  const redact = createRedactor(['postgres://anna:s%23cret-word@db:5432/shop'])
  assert.is(redact('postgres://anna:s%23cret-word@db:5432/shop'), '***')
  assert.is(redact('password authentication failed: s#cret-word'), 'password authentication failed: ***')
  assert.is(redact('psql -W s%23cret-word'), 'psql -W ***')
  assert.is(createRedactor(['postgres://db/shop?user=a&password=long-word'])('got long-word'), 'got ***')
  assert.is(createRedactor(['postgres://a:100%fair@db/shop'])('got 100%fair'), 'got ***')
})

test('hides what stands before @ in any URL, known or not', () => {
  const redact = createRedactor([])
  assert.is(
    redact('fetch https://bot:ghp_x@github.com/acme and redis://:pw@cache:6379'),
    'fetch https://bot:***@github.com/acme and redis://:***@cache:6379',
  )
  assert.is(redact('see http://host:8080/path and mail to a@b'), 'see http://host:8080/path and mail to a@b')
})

test('leaves short values and words that say nothing', () => {
  const text = 'production deploy on port 5432: true, abc, info, v1.25'
  assert.is(createRedactor(['production', '5432', 'true', 'TRUE', 'abc', '', 'info', '1.25'])(text), text)
  assert.is(createRedactor(['481516'])('code 481516'), 'code ***')
})

test('is one pass: what it puts in is not looked at again', () => {
  assert.is(createRedactor(['****', 'a***b'])('a****b'), 'a***b')
})

test('patterns in a value are only text', () => {
  assert.is(createRedactor(['(a|b)*.^$[x]{2}'])('see (a|b)*.^$[x]{2} or aaaa'), 'see *** or aaaa')
})

test('no value of any kind gets through in any of its forms', () => {
  const value = fc
    .string({ unit: 'grapheme', minLength: 6, maxLength: 40 })
    .filter((text) => /\S{6}/.test(text) && !/^[\d.+-]+$/.test(text))
  fc.assert(
    fc.property(value, (text) => {
      const redact = createRedactor([text])
      const noise = '\u0001'
      for (const form of [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)]) {
        assert.not.ok(redact(noise + form + noise).includes(form))
      }
    }),
  )
})

test.run()
