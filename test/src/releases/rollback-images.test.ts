import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rollbackImages } from '../../../src/releases/rollback-images.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/rollback-images')

const image = (name: string, letter: string) => ({ ref: `ghcr.io/acme/${name}`, digest: `sha256:${letter}` })
const service = (name: string) => ({ name, repository: `ghcr.io/acme/new/${name}` })
const old = release('rel-20260102-030405001', { version: 'v1', images: { web: image('web', '1'), mail: image('mail', '1') } })
const current = release('rel-20260102-030405002', { version: 'v2', images: { web: image('web', '2'), api: image('api', '2') } })
const history = [old, current]

test('each service runs what the target recorded, where it recorded it', () => {
  const found = rollbackImages(old, history, [service('web'), service('mail')])
  assert.ok(found.ok)
  if (!found.ok) return
  assert.equal(found.value.pins['web'], { repository: 'ghcr.io/acme/web', digest: 'sha256:1', version: 'v1', release: old.id })
  assert.equal(found.value.notices, [])
})

test('a service that came later keeps its image, and one that left stays away: both are told', () => {
  const found = rollbackImages(old, history, [service('web'), service('api')])
  assert.ok(found.ok)
  if (!found.ok) return
  assert.equal(found.value.pins['api'], { repository: 'ghcr.io/acme/api', digest: 'sha256:2', version: 'v2', release: current.id })
  assert.is(found.value.notices.length, 2)
  assert.match(found.value.notices[0] ?? '', /^api was not part of/)
  assert.match(found.value.notices[1] ?? '', /^mail was part of/)
})

test('a release from before images were recorded is found by its tag', () => {
  const { images: _, ...bare } = old
  const found = rollbackImages(bare, [bare], [service('web')])
  assert.equal(found.ok && found.value.pins['web'], { repository: 'ghcr.io/acme/new/web', digest: null, version: 'v1', release: old.id })
})

test('a service that no release has an image of cannot be rolled back', () => {
  const found = rollbackImages(old, history, [service('web'), service('new')])
  assert.is(found.ok ? undefined : found.diagnostics[0]?.code, 'SC3156')
})

test.run()
