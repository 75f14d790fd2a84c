import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { proxyAuthorization, proxyFor } from '../../../cache/remote/proxy.ts'

const test = suite('cache/remote/proxy')

const found = (server: string, env: Readonly<Record<string, string>>) => proxyFor(new URL(server), env)?.href

const secure = { HTTPS_PROXY: 'http://secure:1' }
for (const [title, server, env, expected] of [
  ['what is encrypted has a variable of its own', 'https://a.example', { ...secure, HTTP_PROXY: 'http://plain:2' }, 'http://secure:1/'],
  ['what is not has another', 'http://a.example', { ...secure, HTTP_PROXY: 'http://plain:2' }, 'http://plain:2/'],
  ['one is not taken for the other', 'http://a.example', secure, undefined],
  ['small letters come first', 'https://a.example', { ...secure, https_proxy: 'http://small:3' }, 'http://small:3/'],
  ['ALL_PROXY comes last', 'https://a.example', { ...secure, ALL_PROXY: 'http://all:4' }, 'http://secure:1/'],
  ['ALL_PROXY serves where nothing else does', 'http://a.example', { ...secure, ALL_PROXY: 'http://all:4' }, 'http://all:4/'],
  ['an address needs no scheme', 'https://a.example', { HTTPS_PROXY: 'proxy.example:3128' }, 'http://proxy.example:3128/'],
  ['an empty variable is none', 'https://a.example', { HTTPS_PROXY: '  ' }, undefined],
  ['this machine is never reached through a proxy', 'https://127.0.0.1:8443', secure, undefined],
  ['nor by its name', 'https://localhost', secure, undefined],
  ['nor by its other address', 'https://[::1]:8443', secure, undefined],
  ['a name is excepted', 'https://a.example', { ...secure, NO_PROXY: 'b.example, a.example' }, undefined],
  ['with all below it', 'https://x.a.example', { ...secure, NO_PROXY: 'a.example' }, undefined],
  ['also when it begins with a dot', 'https://x.a.example', { ...secure, no_proxy: '.a.example' }, undefined],
  ['also when it begins with a star', 'https://x.a.example', { ...secure, no_proxy: '*.a.example' }, undefined],
  ['but not what only ends alike', 'https://xa.example', { ...secure, NO_PROXY: 'a.example' }, 'http://secure:1/'],
  ['a star excepts everything', 'https://a.example', { ...secure, NO_PROXY: '*' }, undefined],
  ['one port is excepted', 'https://a.example', { ...secure, NO_PROXY: 'a.example:443' }, undefined],
  ['and not another', 'https://a.example:8443', { ...secure, NO_PROXY: 'a.example:443' }, 'http://secure:1/'],
  ['a network is excepted', 'https://10.1.2.3', { ...secure, NO_PROXY: '10.0.0.0/8' }, undefined],
  ['an address outside of it is not', 'https://11.1.2.3', { ...secure, NO_PROXY: '10.0.0.0/8' }, 'http://secure:1/'],
  ['a network is of its own kind', 'https://[fd00::1]', { ...secure, NO_PROXY: '10.0.0.0/8 fd00::/8' }, undefined],
  ['what is no network excepts nothing', 'https://10.1.2.3', { ...secure, NO_PROXY: '10.0.0.0/99,10.0.0.0/x' }, 'http://secure:1/'],
] as const)
  test(title, () => assert.is(found(server, env), expected))

test('a proxy of another kind, and what is no address, are named with their variable, without what may be secret', () => {
  const refused = (value: string): string => {
    try {
      found('https://a.example', { HTTPS_PROXY: value })
    } catch (error) {
      return (error as Error).message
    }
    return `${value} was taken`
  }
  assert.match(refused('socks5://user:hunter22@proxy:1080'), '`HTTPS_PROXY` names a proxy that speaks `socks5`')
  assert.match(refused('http://user:hunter22@proxy:port'), '`HTTPS_PROXY` is not the address of a proxy')
  assert.not.match(refused('http://user:hunter22@proxy:port'), 'hunter22')
})

test('a user in its address is who we are to it', () => {
  assert.is(proxyAuthorization(new URL('http://me:p%40ss@proxy')), `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  assert.is(proxyAuthorization(new URL('http://proxy')), undefined)
})

test.run()
