import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { removeLeftovers } from '../../../src/hosts/leftovers.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { FakeHost } from '../../support/fake-host.ts'

const test = suite('src/hosts/leftovers')
const scope = { directory: '/opt/stagecraft/edge', provider: 'caddy', keys: ['shop.prod.web'], prefix: 'shop.prod.' } as const
const hash = 'a'.repeat(16)

function hostWith(own: readonly string[], edge: readonly string[] = []): FakeHost {
  const host = new FakeHost()
  for (const path of own) host.files.put(path, '')
  for (const path of edge) host.edge.files.put(path, '')
  return host
}
const filesOf = (tree: readonly string[]) => tree.filter((path) => !path.endsWith('/'))

test('unfinished writes of the environment go, and nothing else', async () => {
  const kept = ['audit.jsonl', 'bundles/.history', `bundles/${'a'.repeat(64)}/.env`, 'hooks/after_rollout', 'releases.json']
  const host = hostWith([...kept, '.tmp-releases.json.1', 'bundles/.tmp-.history.2', 'bundles/.incoming-a/.env', 'hooks/.tmp-x.3'])
  await removeLeftovers(host, undefined)
  assert.equal(filesOf(host.files.tree()), kept)
})

test('of a machine’s edge only what is this environment’s goes: another may be writing right now', async () => {
  const theirs = [
    'live/.tmp-blog.prod.web.1',
    'live/blog.prod.web.trial',
    `live/.sets/blog.prod.web.trial-${hash}/x`,
    'services/.tmp-blog.prod.web.json.1',
  ]
  const kept = [
    'caddy.json',
    `live/.sets/shop.prod.web-${hash}/x`,
    `live/.sets/shop.prod.web-x-${hash}/x`,
    'live/shop.prod.web',
    'services/shop.prod.web.json',
    ...theirs,
  ].sort()
  const gone = [
    `live/.sets/shop.prod.web-${'b'.repeat(16)}/x`,
    'live/.tmp-shop.prod.web.1',
    'live/shop.prod.web.trial',
    `live/.sets/shop.prod.web.trial-${hash}/x`,
    'maintenance/.tmp-shop.prod.web.html.1',
  ]
  const host = hostWith([], [...kept, ...gone])
  const live = `.sets/shop.prod.web-${hash}`
  host.edgeState = () => ({ routes: { 'shop.prod.web': { live, isPaused: false } } })
  await removeLeftovers(host, scope)
  assert.equal(filesOf(host.edge.files.tree()), kept)
})

test('a service that is called as a trial of another would be keeps its place', async () => {
  const host = hostWith([], ['live/shop.prod.web.trial'])
  await removeLeftovers(host, { ...scope, keys: ['shop.prod.web', 'shop.prod.web.trial'] })
  assert.equal(filesOf(host.edge.files.tree()), ['live/shop.prod.web.trial'])
})

test('what all share goes under the edge’s own lock, and is left to whoever has that', async () => {
  const host = hostWith([], ['lock', '.tmp-caddy.json.1'])
  await removeLeftovers(host, scope)
  assert.equal(filesOf(host.edge.files.tree()), ['lock'])
  const busy = hostWith([], ['.tmp-caddy.json.1'])
  const held = new TaskFailure({ reason: 'lock-held', subject: 'node-1', message: 'held' })
  const edge = { ...busy.edge, files: busy.edge.files, directory: '/edge', exclusively: () => Promise.reject(held) }
  await removeLeftovers({ files: busy.files, edge, observe: () => busy.observe(), changed: () => {} }, scope)
  assert.equal(filesOf(busy.edge.files.tree()), ['.tmp-caddy.json.1'])
})

test('a machine without an edge has no lock taken on it', async () => {
  const host = hostWith([])
  await removeLeftovers(host, scope)
  assert.equal(host.writes(), [])
})

test.run()
