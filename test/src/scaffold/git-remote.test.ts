import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { originUrl, registryOf } from '../../../src/scaffold/git-remote.ts'

const test = suite('src/scaffold/git-remote')

const urls: readonly (readonly [string, string | undefined])[] = [
  ['git@github.com:Acme/Shop.git', 'ghcr.io/acme/shop'],
  ['https://github.com/acme/shop', 'ghcr.io/acme/shop'],
  ['https://user:token@github.com/acme/shop.git/', 'ghcr.io/acme/shop'],
  ['ssh://git@github.com:22/acme/shop.git', 'ghcr.io/acme/shop'],
  ['git@gitlab.com:acme/web/shop.git', 'registry.gitlab.com/acme/web/shop'],
  ['git@git.example.com:acme/shop.git', undefined],
  ['https://github.com/acme', undefined],
  ['git@github.com:acme/-odd-.git', undefined],
  ['/srv/git/shop.git', undefined],
  ['', undefined],
]
for (const [url, registry] of urls) {
  test(`images of ${url || 'nothing'} go to ${registry ?? 'nowhere we know'}`, () => assert.is(registryOf(url), registry))
}

test('the origin is found among other remotes', () => {
  const text =
    '[core]\n\tbare = false\n[remote "fork"]\n\turl = a:b/c\n[remote "origin"]\n\tfetch = x\n\turl = git@github.com:a/b.git\n[branch "main"]\n\turl = no\n'
  assert.is(originUrl(text), 'git@github.com:a/b.git')
  assert.is(originUrl('[remote "fork"]\n\turl = a:b/c\n'), undefined)
  assert.is(originUrl('[remote "origin"]\n\tfetch = x\n[remote "fork"]\n\turl = a:b/c\n'), undefined)
})

test.run()
