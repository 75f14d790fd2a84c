import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cacheSettings } from '../../../src/config/cache-settings.ts'
import { parseConfig } from '../../../src/config/load.ts'
import { describedRemote, describeRemote, remoteUse } from '../../../src/session/remote-settings.ts'
import { aboutConfig, accepted, least, told } from '../config/told.ts'

const test = suite('session/remote-settings')

const settings = (cache: string) =>
  cacheSettings({ config: accepted(parseConfig(`${least}cache: ${cache}\n`, '/p/stagecraft.yml')).config })
const used = (cache: string, env: Record<string, string> = {}) => accepted(remoteUse(settings(cache), env))
const refusals = (cache: string, env: Record<string, string>) => {
  const checked = remoteUse(settings(cache), env)
  return checked.ok ? [] : told(checked.diagnostics)
}

test('limits are bytes and milliseconds, and left out by default', () => {
  assert.equal(settings('{}').limits, {})
  assert.equal(settings('{max_size: 1.5GB, max_age: 30d}').limits, { maxSizeBytes: 1.5e9, maxAgeMs: 30 * 86_400_000 })
  assert.is(settings('{max_size: 2GiB}').limits.maxSizeBytes, 2 * 1024 ** 3)
})

test('one address picks the store; oci alone is the registry of the project', () => {
  assert.is(used('{}'), undefined)
  assert.equal(used('{remote: "https://cache.example.com/shop/"}')?.address, { kind: 'http', url: 'https://cache.example.com/shop' })
  assert.is(used('{remote: oci}')?.address.url, 'oci://ghcr.io/acme/shop/stagecraft-cache')
  assert.is(used('{remote: {url: "oci://localhost:5000/c"}}')?.address.url, 'oci://localhost:5000/c')
  assert.is(used('{remote: "s3://bucket/a/b?region=fra1&endpoint=https://fra1.digitaloceanspaces.com"}')?.address.url, 's3://bucket/a/b')
})

test('CI writes and laptops read, unless somebody says otherwise', () => {
  const remote = '{remote: "https://c"}'
  assert.is(used(remote)?.mode, 'read')
  assert.is(used(remote, { CI: 'true' })?.mode, 'read-write')
  assert.is(used(remote, { CI: 'false' })?.mode, 'read')
  assert.is(used('{remote: {url: "https://c", mode: read}}', { CI: '1' })?.mode, 'read')
  assert.is(used(remote, { CI: '1', STAGECRAFT_REMOTE_CACHE_MODE: 'read' })?.mode, 'read')
})

test('the environment names another cache, or none, and keeps the limits', () => {
  const remote = '{remote: {url: "https://c", timeout: 3s, max_wait: 1m}}'
  assert.is(used(remote, { STAGECRAFT_REMOTE_CACHE: 'off' }), undefined)
  const use = used(remote, { STAGECRAFT_REMOTE_CACHE: 'http://ci:p%40ss@d/e' })
  assert.equal([use?.address.url, use?.timeoutMs, use?.maxWaitMs], ['http://d/e', 3000, 60_000])
  assert.equal(use?.credentials, { user: 'ci', password: 'p@ss' })
  assert.is(used('{}', { STAGECRAFT_REMOTE_CACHE: 'oci' })?.timeoutMs, 10_000)
})

test('what is shown of it holds no secret, and says what is wrong', () => {
  const shown = (env: Record<string, string>) => describeRemote(describedRemote(settings('{remote: "https://c"}'), env))
  assert.is(shown({ STAGECRAFT_REMOTE_CACHE: 'http://ci:p%40ss@d/e' }), 'http://d/e (reads, not signed)')
  assert.is(shown({ CI: '1', STAGECRAFT_REMOTE_CACHE_KEY: 'k'.repeat(16) }), 'https://c (reads and writes, signed)')
  assert.is(shown({ STAGECRAFT_REMOTE_CACHE: 'off' }), 'with nobody')
  assert.match(shown({ STAGECRAFT_REMOTE_CACHE: 'gopher://u:hunter22@c' }), /^SC5110 /)
  assert.not.match(shown({ STAGECRAFT_REMOTE_CACHE: 'gopher://u:hunter22@c' }), 'hunter22')
})

test('keys come from their own variable, else the project’s; several are accepted', () => {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(64)]
  const keys = (env: Record<string, string>) => used('{remote: "https://c"}', env)?.keys
  assert.equal(keys({}), [])
  assert.equal(keys({ STAGECRAFT_PROJECT_KEY: b }), [b])
  assert.equal(keys({ STAGECRAFT_REMOTE_CACHE_KEY: `${a}, ${b}`, STAGECRAFT_PROJECT_KEY: b }), [a, b])
})

for (const [env, expected] of [
  [{ STAGECRAFT_REMOTE_CACHE: 'nonsense' }, /SC5110 .*is no URL/],
  [{ STAGECRAFT_REMOTE_CACHE: 'gopher://user:hunter22@c' }, /SC5110 .*begins with `gopher:/],
  [{ STAGECRAFT_REMOTE_CACHE_MODE: 'write' }, /SC5110 .*`write`: expected `read` or `read-write`/],
  [{ STAGECRAFT_REMOTE_CACHE_KEY: 'hunter22' }, /SC5111 .*fewer than 16/],
  [{ STAGECRAFT_REMOTE_CACHE_TOKEN: 'hunter22\nx' }, /SC5110 .*characters that no token has/],
  [{ STAGECRAFT_REMOTE_CACHE: 'https://u:hunter22@c', STAGECRAFT_REMOTE_CACHE_TOKEN: 't' }, /SC5110 .*expected one of them/],
] as const)
  test(`${Object.keys(env).join(' and ')}: ${expected}`, () => {
    const [first = ''] = refusals('{remote: "https://c"}', env)
    assert.match(first, expected)
    assert.not.match(first, 'hunter22')
  })

for (const [cache, expected] of [
  ['{max_size: 5}', /SC1009 expected text in cache.max_size/],
  ['{max_size: 5XB}', /SC1011 expected a size/],
  ['{max_age: soon}', /SC1011 expected a duration such as `30d`/],
  ['{remote: {url: oci, mode: write}}', /SC1011 expected `read` or `read-write`/],
  ['{remote: {url: oci, timeout: 2h}}', /SC1011 .*at most an hour/],
  ['{remote: {mode: read}}', /SC1010 `cache.remote.url` is required/],
  ['{remote: {ulr: oci}}', /SC1003 unknown key `ulr`/],
  ['{remote: cache.example.com}', /SC1075 .*is no URL/],
  ['{remote: "https://c/?sig=hunter22"}', /SC1075 .*has a query/],
  ['{remote: "oci://ghcr.io/acme/shop:latest"}', /SC1075 .*names no repository/],
  ['{remote: "oci://u:hunter22@ghcr.io/acme"}', /SC1075 .*docker login/],
  ['{remote: "s3://B/x"}', /SC1075 .*bucket/],
  ['{remote: "https://ci:hunter22@cache.example.com"}', /SC1076 .*holds a password.*STAGECRAFT_REMOTE_CACHE_TOKEN/],
] as const)
  test(`cache: ${cache.replace('hunter22', '…')} is refused`, () => {
    const said = aboutConfig(`${least}cache: ${cache}\n`).join('\n')
    assert.match(said, expected)
    assert.not.match(said, 'hunter22')
  })

test('oci without a registry of the project is refused', () => {
  assert.match(
    aboutConfig('project: {name: shop}\ntasks: {a: {command: x}}\ncache: {remote: oci}\n').join(),
    /SC1075 .*`project.registry` is not set/,
  )
})

test.run()
