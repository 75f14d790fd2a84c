/** Checkouts that share results through a real nginx: what one runs, the others do not. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openHttpStore } from '../../cache/remote/http.ts'
import { checkout, copyFiles, type Ended } from '../support/checkouts.ts'
import { inDirectory } from '../support/directory.ts'
import { type Nginx, type NginxOptions, nginxObstacle, startNginx } from '../support/nginx.ts'
import { startProxy } from '../support/proxy.ts'
import { behavesAsRemoteStore } from '../support/remote-store-suite.ts'

const suiteOf = suite('e2e/shared-cache')
const test = nginxObstacle === undefined ? suiteOf : (title: string, _work: () => Promise<void>) => suiteOf.skip(title)
if (nginxObstacle !== undefined) process.stdout.write(`skipped e2e/shared-cache: ${nginxObstacle}\n`)

const files = {
  'stagecraft.yml': `project: {name: shop}
tasks:
  codegen:
    command: echo codegen >> ran; mkdir -p gen/deep; cp schema gen/deep/model; chmod 755 gen/deep/model; touch gen/empty
    inputs: [schema]
    outputs: ["gen/**"]
  bundle:
    command: echo bundle >> ran; echo bundling; cat gen/deep/model src > dist/app
    inputs: [src, "gen/**"]
    outputs: [dist/app]
    needs: [codegen]
  lint: {command: echo lint >> ran, inputs: [src]}
  login:
    command: echo login >> ran; echo "printed $TOKEN"; echo "token=$TOKEN" > auth/npmrc
    inputs: [src]
    outputs: [auth/npmrc]
    secrets: [TOKEN]
pipelines: {ci: [bundle, lint]}
`,
  schema: 'type A\n',
  src: 'main\n',
}
const key = 'k'.repeat(32)

async function withNginx(
  options: NginxOptions,
  work: (parts: { nginx: Nginx; parent: string; env: Record<string, string> }) => Promise<void>,
): Promise<void> {
  await inDirectory(async (parent) => {
    const nginx = await startNginx(join(parent, 'nginx'), options)
    try {
      await work({ nginx, parent, env: { STAGECRAFT_REMOTE_CACHE: nginx.url } })
    } finally {
      await nginx.stop()
    }
  })
}

function done(ended: Ended): Ended {
  assert.is(ended.code, 0, `${ended.stdout}\n${ended.stderr}`)
  return ended
}
const asked = (log: readonly string[], method: string) => log.filter((line) => line.startsWith(`${method} `))

test('what CI made, a laptop takes: nothing runs there, outputs are the same, and nothing is written', () =>
  withNginx({}, async ({ nginx, parent, env }) => {
    const ci = checkout(parent, 'ci', files)
    const first = done(await ci.run(['run', 'ci'], { ...env, CI: 'true', STAGECRAFT_REMOTE_CACHE_KEY: key }))
    assert.equal(ci.ran(), ['bundle', 'codegen', 'lint'])
    assert.not.match(first.stderr, 'warning')
    const uploaded = asked(await nginx.stop(), 'PUT')
    assert.is(uploaded.filter((line) => line.includes('/ac/')).length, 3)

    const again = await startNginx(join(parent, 'nginx'))
    const laptop = checkout(parent, 'laptop', files)
    const second = done(
      await laptop.run(['run', 'ci', '--verbose'], { STAGECRAFT_REMOTE_CACHE: again.url, STAGECRAFT_REMOTE_CACHE_KEY: key }),
    )
    assert.equal(laptop.ran(), [])
    assert.match(`${second.stdout}${second.stderr}`, /remote/)
    assert.equal(laptop.tree('gen'), ci.tree('gen'))
    assert.equal(laptop.tree('dist'), ci.tree('dist'))

    // The local cache has them now: edited outputs come back without a question.
    writeFileSync(join(laptop.directory, 'dist/app'), 'scribble')
    laptop.write('src', 'main\n')
    done(await laptop.run(['run', 'ci'], { STAGECRAFT_REMOTE_CACHE: again.url, STAGECRAFT_REMOTE_CACHE_KEY: key }))
    assert.equal(laptop.ran(), [])
    assert.equal(laptop.tree('dist'), ci.tree('dist'))
    laptop.write('src', 'changed\n')
    done(await laptop.run(['run', 'ci'], { STAGECRAFT_REMOTE_CACHE: again.url, STAGECRAFT_REMOTE_CACHE_KEY: key }))
    assert.equal(laptop.ran(), ['bundle', 'lint'], 'codegen is still shared')

    const log = await again.stop()
    assert.equal(asked(log, 'PUT'), [], 'a laptop only reads')
    assert.is(asked(log, 'GET').filter((line) => line.includes('/ac/')).length, 5, log.join('\n'))
  }))

test('a result made with a secret stays on the machine, and so does a file that holds the value', () =>
  withNginx({}, async ({ nginx, parent, env }) => {
    const leaky = {
      ...files,
      'stagecraft.yml': `${files['stagecraft.yml'].replace('pipelines:', '  pack: {command: cp auth/npmrc dist/pack, inputs: [auth/npmrc], outputs: [dist/pack], needs: [login]}\npipelines:')}`,
    }
    const ci = checkout(parent, 'ci', leaky)
    const { stderr } = done(await ci.run(['run', 'pack'], { ...env, CI: '1', TOKEN: 'correct-horse-battery' }))
    assert.match(stderr, 'dist/pack holds the value of a secret, so the task that made it is not shared')
    assert.equal(asked(await nginx.stop(), 'PUT'), [])
    const kept = Object.values(ci.tree('.stagecraft/cache')).map((entry) => Buffer.from(entry.split(' ')[1] ?? '', 'base64').toString())
    assert.ok(
      kept.some((text) => text.includes('printed ***')),
      'the log is kept without the value',
    )
    assert.not(kept.some((text) => text.includes('printed correct')))
  }))

test('tokens: who may read reads, who may write writes, over TLS that is verified', () =>
  withNginx({ tls: true, tokens: { read: 'may-read', write: 'may-write' } }, async ({ nginx, parent, env }) => {
    const tls = { ...env, NODE_EXTRA_CA_CERTS: nginx.caFile }
    const ci = checkout(parent, 'ci', files)
    const refused = done(await ci.run(['run', 'ci'], { ...tls, CI: '1', STAGECRAFT_REMOTE_CACHE_TOKEN: 'may-read' }))
    assert.match(refused.stderr, /3 results were not shared|is not written to for the rest of this run: PUT .* 403/)
    assert.not.match(refused.stderr, 'may-read')
    rmSync(join(ci.directory, '.stagecraft'), { recursive: true })
    done(await ci.run(['run', 'ci'], { ...tls, CI: '1', STAGECRAFT_REMOTE_CACHE_TOKEN: 'may-write' }))
    const laptop = checkout(parent, 'laptop', files)
    done(await laptop.run(['run', 'ci'], { ...tls, STAGECRAFT_REMOTE_CACHE_TOKEN: 'may-read' }))
    assert.equal(laptop.ran(), [])
    // Without the authority's certificate nobody is believed, whatever they answer.
    const stranger = checkout(parent, 'stranger', files)
    const distrust = done(await stranger.run(['run', 'ci'], { ...env, STAGECRAFT_REMOTE_CACHE_TOKEN: 'may-read' }))
    assert.equal(stranger.ran(), ['bundle', 'codegen', 'lint'])
    assert.not.match(distrust.stderr, 'may-read')
  }))

test('behind a proxy the cache is reached through it, encrypted or not', () =>
  inDirectory(async (parent) => {
    for (const tls of [false, true]) {
      const nginx = await startNginx(join(parent, `nginx-${tls}`), { tls })
      const proxy = await startProxy(Number(new URL(nginx.url).port))
      try {
        const address = `http://me:hunter22@127.0.0.1:${proxy.port}`
        const env = {
          [tls ? 'HTTPS_PROXY' : 'HTTP_PROXY']: address,
          STAGECRAFT_REMOTE_CACHE: `${tls ? 'https' : 'http'}://cache.test/shop`,
          ...(tls && { NODE_EXTRA_CA_CERTS: nginx.caFile }),
        }
        done(await checkout(parent, `ci-${tls}`, files).run(['run', 'ci'], { ...env, CI: '1' }))
        const laptop = checkout(parent, `laptop-${tls}`, files)
        const { stderr } = done(await laptop.run(['run', 'ci'], env))
        assert.equal(laptop.ran(), [], stderr)
        const expected = tls
          ? /^CONNECT cache\.test:443 Basic bWU6aHVudGVyMjI=$/
          : /^[A-Z]+ http:\/\/cache\.test\/shop\/.* Basic bWU6aHVudGVyMjI=$/
        assert.ok(proxy.asked.length > 0)
        for (const line of proxy.asked) assert.match(line, expected)

        const outside = checkout(parent, `outside-${tls}`, files)
        const there = done(
          await outside.run(['run', 'ci'], { ...env, STAGECRAFT_REMOTE_CACHE: 'https://refused.test/', HTTPS_PROXY: address }),
        )
        assert.match(there.stderr, `the proxy 127.0.0.1:${proxy.port} does not lead to refused.test:443: it answered with 407`)
        assert.not.match(there.stderr, 'hunter22')
      } finally {
        proxy.close()
        await nginx.stop()
      }
    }
  }))

test('a user and a password go into the variable', () =>
  withNginx({ basic: { user: 'ci', password: 'p@ss/word' } }, async ({ nginx, parent }) => {
    const url = nginx.url.replace('://', '://ci:p%40ss%2Fword@')
    done(await checkout(parent, 'ci', files).run(['run', 'ci'], { CI: '1', STAGECRAFT_REMOTE_CACHE: url }))
    const laptop = checkout(parent, 'laptop', files)
    done(await laptop.run(['run', 'ci'], { STAGECRAFT_REMOTE_CACHE: url }))
    assert.equal(laptop.ran(), [])
    const { stderr } = await checkout(parent, 'stranger', files).run(['run', 'ci'], {
      STAGECRAFT_REMOTE_CACHE: url.replace('p%40ss%2Fword', 'wrong'),
    })
    assert.not.match(stderr, /wrong@|Y2k6/)
  }))

test('an entry that was tampered with, or signed by somebody else, is a miss', () =>
  withNginx({}, async ({ nginx, parent, env }) => {
    done(await checkout(parent, 'ci', files).run(['run', 'ci'], { ...env, CI: '1', STAGECRAFT_REMOTE_CACHE_KEY: 'x'.repeat(32) }))
    const other = checkout(parent, 'other', files)
    const { stderr } = done(await other.run(['run', 'ci'], { ...env, STAGECRAFT_REMOTE_CACHE_KEY: key }))
    assert.equal(other.ran(), ['bundle', 'codegen', 'lint'])
    assert.is(stderr.match(/warning: .*signed with another key/g)?.length, 1, stderr)
    const rotated = checkout(parent, 'rotated', files)
    done(await rotated.run(['run', 'ci'], { ...env, STAGECRAFT_REMOTE_CACHE_KEY: `${key}, ${'x'.repeat(32)}` }))
    assert.equal(rotated.ran(), [], 'an old key is still believed')

    copyFiles(nginx.root, join(parent, 'kept'))
    for (const name of readdirSync(join(nginx.root, 'cas'))) writeFileSync(join(nginx.root, 'cas', name), 'something else')
    const victim = checkout(parent, 'victim', files)
    const tampered = done(await victim.run(['run', 'ci'], { ...env, STAGECRAFT_REMOTE_CACHE_KEY: 'x'.repeat(32) }))
    assert.match(tampered.stderr, 'is not what its name says')
    assert.is(readFileSync(join(victim.directory, 'dist/app'), 'utf8'), 'type A\nmain\n')
    assert.ok(victim.ran().includes('codegen'))
  }))

test('a cache that is not there costs one warning, and the run is as good', () =>
  inDirectory(async (parent) => {
    const laptop = checkout(parent, 'laptop', files)
    const { stderr } = done(await laptop.run(['run', 'ci'], { CI: '1', STAGECRAFT_REMOTE_CACHE: 'http://127.0.0.1:9/cache' }))
    assert.equal(laptop.ran(), ['bundle', 'codegen', 'lint'])
    assert.is(stderr.match(/warning:/g)?.length, 1, stderr)
    assert.match(stderr, /the remote cache http:\/\/127\.0\.0\.1:9\/cache is not used for the rest of this run: [A-Z]+ .*ECONNREFUSED/)
    const off = done(await laptop.run(['run', 'ci'], { STAGECRAFT_REMOTE_CACHE: 'off' }))
    assert.not.match(off.stderr, 'warning')
  }))

test('a mistake in a variable is told before anything runs', () =>
  inDirectory(async (parent) => {
    const laptop = checkout(parent, 'laptop', files)
    const { code, stderr } = await laptop.run(['run', 'ci'], { STAGECRAFT_REMOTE_CACHE: 'ftp://user:hunter22@x' })
    assert.is(code, 1)
    assert.match(stderr, /SC5110.*begins with `ftp:\/\/`/)
    assert.not.match(stderr, 'hunter22')
    assert.equal(laptop.ran(), [])
  }))

if (nginxObstacle === undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'remote-http-'))
  const nginx = await startNginx(directory, { tokens: { read: 'may-read', write: 'may-write' } })
  suiteOf.after(async () => {
    await nginx.stop()
    rmSync(directory, { recursive: true })
  })
  const at = (url: string) => openHttpStore({ url: new URL(`${url}/shop/deep`), authorization: 'Bearer may-write' })
  behavesAsRemoteStore(suiteOf, 'nginx', {
    open: async () => at(nginx.url),
    openAt: async (port) => at(`http://127.0.0.1:${port}`),
    secrets: () => ['may-write'],
  })
}

suiteOf.run()
