import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActionResult, TaskId } from '../../graph/types.ts'
import { type BuildParams, build } from '../../tasks/build.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { push } from '../../tasks/push.ts'
import { rejects } from '../support/assertions.ts'
import { imageWorld } from '../support/fake-images.ts'

const test = suite('tasks/push')

const repository = 'registry.test/shop/api'
const params = { service: 'api', repository, build: 'build:api' }
const built = (tag: string, imageId = 'sha256:image-1'): ActionResult => ({ files: {}, values: { repository, tag, imageId } })
const one = { needs: { 'build:api': built('sc-1') } }

/** A world in which `build:api` has made `sc-1`. */
function builtWorld(version?: string) {
  const world = imageWorld(version === undefined ? {} : { version })
  world.builder.images.set(`${repository}:sc-1`, 'sha256:image-1')
  return world
}

test('what is not in the registry is pushed, and is fresh from then on, with the same result', async () => {
  const { builder, context } = builtWorld()
  const look = await push.observe?.(params, context('push:api', one), undefined)
  assert.equal(look, { fresh: false, because: { reason: 'absent', detail: 'sc-1 is not in the registry' } })
  const ran = await push.run(params, context('push:api', one))
  assert.equal(ran, { files: {}, values: { repository, digest: 'sha256:manifest-1' } })
  const again = await push.observe?.(params, context('push:api', one), undefined)
  assert.equal(again?.fresh && again.result, ran)
  assert.equal(builder.pushes, [`${repository}:sc-1`, `${repository}:v1`])
})

test('another image under the content tag is replaced', async () => {
  const { registry, context } = builtWorld()
  registry.hold(`${repository}:sc-1`, { digest: 'sha256:manifest-9', imageId: 'sha256:image-9' })
  const look = await push.observe?.(params, context('push:api', one), undefined)
  assert.is(!look?.fresh && look?.because.reason, 'drift')
  assert.is((await push.run(params, context('push:api', one))).values['digest'], 'sha256:manifest-1')
})

/*  build:api (another fingerprint, the same image) ── push:api ── rollout  */
test('an identical rebuild enters neither the fingerprint nor the result', async () => {
  const { builder, context } = builtWorld()
  const select = (tag: string) => push.select?.(params, 'build:api' as TaskId, built(tag))
  assert.equal(select('sc-1'), select('sc-2'))
  assert.is.not(JSON.stringify(select('sc-1')).includes('sc-1'), true)

  const before = await push.run(params, context('push:api', one))
  builder.images.set(`${repository}:sc-2`, 'sha256:image-1')
  const two = { needs: { 'build:api': built('sc-2') } }
  assert.not((await push.observe?.(params, context('push:api', two), undefined))?.fresh)
  assert.equal(await push.run(params, context('push:api', two)), before)
})

test('an image for several platforms is pushed one by one, and an index names them all', async () => {
  const platforms = ['linux/amd64', 'linux/arm64']
  const several: BuildParams = {
    ...{ service: 'api', repository, context: '.', dockerfile: 'Dockerfile', dockerignore: null, withheld: [], target: null, args: {} },
    ...{ platforms, secrets: {}, ssh: [], additionalContexts: {}, cacheFrom: [], labels: {}, remote: true },
  }
  const { builder, registry, context } = imageWorld()
  let made = 0
  builder.build = async (request, onLine) => {
    onLine('#1 building')
    made += 1
    for (const tag of request.tags) builder.images.set(tag, `sha256:image-${made}`)
    return `sha256:image-${made}`
  }
  const first = context('build:api', { fingerprint: '1' })
  assert.not((await build.observe?.(several, first, undefined))?.fresh)
  const ran = await build.run(several, first)
  assert.equal(ran.values['platforms'], platforms)
  const [tag] = [String(ran.values['tag'])]
  assert.equal([...builder.images.keys()], [`${repository}:${tag}-linux-amd64`, `${repository}:${tag}-linux-arm64`])
  const pushes = context('push:api', { needs: { 'build:api': ran } })
  assert.not((await push.observe?.(params, pushes, undefined))?.fresh)
  const pushed = await push.run(params, pushes)
  assert.equal(registry.manifests.get(`${repository}:${tag}`)?.platforms, {
    'linux/amd64': 'sha256:manifest-1',
    'linux/arm64': 'sha256:manifest-2',
  })
  assert.equal(pushed.values['digest'], registry.manifests.get(`${repository}:v1`)?.digest)
  builder.images.clear()
  const again = await build.observe?.(several, first, undefined)
  assert.equal(again?.fresh && again.result, ran)
  assert.ok((await push.observe?.(params, pushes, undefined))?.fresh)
  // One of them is gone: it has to be built again.
  registry.manifests.delete(`${repository}@sha256:manifest-2`)
  assert.not((await build.observe?.(several, first, undefined))?.fresh)
})

test('other needs count as a whole', () => {
  assert.equal(push.select?.(params, 'exec:sign' as TaskId, { files: {}, values: { signature: 'x' } }), { signature: 'x' })
})

test('a forced push of an image that only the registry has does nothing', async () => {
  const { builder, registry, context, lines } = imageWorld()
  registry.hold(`${repository}:sc-1`, { digest: 'sha256:manifest-1', imageId: 'sha256:image-1' })
  assert.is((await push.run(params, context('push:api', one))).values['digest'], 'sha256:manifest-1')
  assert.equal(builder.pushes, [])
  assert.match(lines.join(), /nothing to push/)
})

test('an image that nobody has is to be built again', async () => {
  const { context } = imageWorld()
  const error = await rejects(push.run(params, context('push:api', one)), /neither in this machine's engine nor in the registry/)
  assert.is((error as TaskFailure).failure.remedy, 'build it again: --force=build:api')
})

test('a content tag that was moved in the engine is noticed', async () => {
  const { builder, context } = builtWorld()
  builder.images.set(`${repository}:sc-1`, 'sha256:image-7')
  await rejects(push.run(params, context('push:api', one)), /its tag was moved/)
})

test('a registry that refuses the version tag does not fail the push', async () => {
  const { builder, context, lines } = builtWorld('v7')
  builder.refused.add(`${repository}:v7`)
  assert.is((await push.run(params, context('push:api', one))).values['digest'], 'sha256:manifest-1')
  assert.match(lines.join('\n'), /v7 was not pushed/)
})

test('an interruption while the version tag is pushed is an interruption', async () => {
  const { builder, context } = builtWorld('v7')
  const controller = new AbortController()
  builder.tag = async () => {
    controller.abort()
    throw new TaskFailure({ reason: 'interrupted', subject: 'docker', message: '`docker` was interrupted' })
  }
  await rejects(push.run(params, context('push:api', { ...one, signal: controller.signal })), /was interrupted/)
})

test('the version is in no fingerprint', () => {
  assert.equal(push.params.parse(params), params)
  assert.not(push.params.safeParse({ ...params, version: 'v1' }).success)
  assert.is(push.title(params), 'push api')
  assert.is(push.inputs, undefined)
})

test.run()
