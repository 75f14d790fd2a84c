import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { caddyConfig, fragmentText, parseFragment, partsOf } from '../../../tasks/edge/caddy-config.ts'
import { caddyRoute } from '../../../tasks/edge/caddy-route.ts'
import { sampleRoute, sampleRoutes, sampleSecrets } from '../../support/routes.ts'

const test = suite('tasks/edge/caddy-config')
const fragment = (more: Parameters<typeof sampleRoute>[0]) => caddyRoute(sampleRoute(more), sampleSecrets)
const all = new Map(sampleRoutes.map(([title, route]) => [`shop.prod.${title}`, fragment({ ...route, key: `shop.prod.${title}` })]))

test('a configuration is read back as the parts it was made of', () => {
  const text = caddyConfig(all, [8079])
  const parts = partsOf(text)
  if (!parts) throw new Error('not read back')
  assert.is(caddyConfig(parts, [8079]), text)
  assert.equal([...parts.keys()].sort(), [...all.keys()].sort())
})

test('a part is read back from its own file', () => {
  for (const part of all.values()) assert.equal(parseFragment(fragmentText(part)), part)
})

for (const [title, text] of [
  ['nothing', ''],
  ['no JSON', '{'],
  ['somebody else’s configuration', '{"apps":{"http":{"servers":{}}}}'],
] as const) {
  test(`${title} is not taken for one of ours`, () => assert.is(partsOf(text), undefined))
}

test('a longer path is matched before a shorter one', () => {
  const parts = new Map([
    ['a', fragment({ key: 'a' })],
    ['b', fragment({ key: 'b', path: '/api/v2' })],
    ['c', fragment({ key: 'c', path: '/api' })],
  ])
  const config = JSON.parse(caddyConfig(parts, [8079])) as { apps: { http: { servers: { http: { routes: { '@id': string }[] } } } } }
  assert.equal(
    config.apps.http.servers.http.routes.map((route) => route['@id']),
    ['b/http/0', 'c/http/0', 'a/http/0', '-/http/0'],
  )
})

test('the administration listens on loopback only', () => {
  assert.is(JSON.parse(caddyConfig(all, [8079])).admin.listen, '127.0.0.1:2019')
})

const hasCaddy = spawnSync('caddy', ['version']).status === 0
if (!hasCaddy) process.stdout.write('skipped: there is no caddy here to validate what is written for it\n')
for (const [title, route] of hasCaddy ? sampleRoutes : []) {
  test(`Caddy accepts the route: ${title}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'caddy-'))
    try {
      // Files of certificates are on the host.
      const { certificates: _, ...rest } = fragment(route)
      writeFileSync(join(folder, 'caddy.json'), caddyConfig(new Map([['k', { ...rest, certificates: [] }]]), [8079]))
      const { status, stderr } = spawnSync('caddy', ['validate', '--config', join(folder, 'caddy.json')], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: folder },
      })
      assert.is(status, 0, stderr)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test.run()
