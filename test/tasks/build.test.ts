import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Json } from '../../graph/types.ts'
import { build, builtImage } from '../../tasks/build.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { rejects } from '../support/assertions.ts'
import { FakeHost } from '../support/fake-host.ts'
import { imageWorld } from '../support/fake-images.ts'

const test = suite('tasks/build')

const params = {
  service: 'api',
  repository: 'registry.test/shop/api',
  context: 'services/api',
  dockerfile: 'docker/api.Dockerfile',
  dockerignore: 'services/api/.dockerignore',
  withheld: [],
  target: null,
  args: { NODE_ENV: 'production' },
  platforms: ['linux/amd64'],
  secrets: { npm: 'NPM_TOKEN' },
  ssh: [],
  additionalContexts: { shared: 'shared', base: 'docker-image://registry.test/base:1' },
  cacheFrom: [],
  labels: {},
  remote: true,
} satisfies Json

const id = 'build:api'
const first = { fingerprint: '1'.repeat(64) }
const second = { fingerprint: '2'.repeat(64) }
const tagOf = (digit: string) => `registry.test/shop/api:sc-${digit.repeat(16)}`
const world = () => imageWorld({ secrets: { NPM_TOKEN: 'hunter2' } })

test('the schema takes exactly these params', () => {
  assert.equal(build.params.parse(params), params)
  assert.not(build.params.safeParse({ ...params, remtoe: true }).success)
  assert.is(build.title(params), 'build api')
})

test('the context, the Dockerfile and the ignore file are inputs, and so are named folders; what BuildKit fetches is not', () => {
  assert.equal(build.inputs?.(params), {
    files: [
      { root: 'services/api', always: ['docker/api.Dockerfile', 'services/api/.dockerignore'], dockerignore: 'services/api/.dockerignore' },
      { root: 'shared', dockerignore: 'shared/.dockerignore' },
    ],
    secrets: ['NPM_TOKEN'],
  })
})

test('without an ignore file the whole context counts', () => {
  assert.equal(build.inputs?.({ ...params, withheld: ['.stagecraft'] }).files?.[0]?.except, ['.stagecraft'])
  assert.equal(build.inputs?.({ ...params, dockerignore: null, additionalContexts: {} }).files, [
    { root: 'services/api', always: ['docker/api.Dockerfile'] },
  ])
})

test('a build gets absolute paths, secret values and one content tag', async () => {
  const { builder, context, lines } = world()
  await build.run({ ...params, target: 'prod' }, context(id, first))
  assert.equal(builder.builds, [
    {
      context: '/project/services/api',
      dockerfile: '/project/docker/api.Dockerfile',
      target: 'prod',
      args: { NODE_ENV: 'production' },
      platforms: ['linux/amd64'],
      secrets: [{ id: 'npm', value: 'hunter2' }],
      ssh: [],
      additionalContexts: { shared: '/project/shared', base: 'docker-image://registry.test/base:1' },
      cacheFrom: [],
      withheld: [],
      labels: {},
      tags: [tagOf('1')],
      noCache: false,
    },
  ])
  assert.equal(lines, ['#1 building'])
})

test('what was never built is not fresh', async () => {
  const { context } = world()
  const look = await build.observe?.(params, context(id, first), undefined)
  assert.equal(look, { fresh: false, because: { reason: 'first-run', detail: 'no image was built from this yet' } })
})

test('what the registry holds under the content tag is fresh, with an empty cache and an empty engine', async () => {
  const { context, registry, builder } = world()
  registry.hold(tagOf('1'), { digest: 'sha256:manifest-1', imageId: 'sha256:image-1' })
  const look = await build.observe?.(params, context(id, first), undefined)
  assert.ok(look?.fresh)
  assert.is(look?.fresh && look.detail, `sc-${'1'.repeat(16)} is in the registry`)
  assert.is(builder.builds.length, 0)
})

test('the result is the same however it was obtained', async () => {
  const { context, registry, builder } = world()
  const ran = await build.run(params, context(id, first))
  const fromEngine = await build.observe?.(params, context(id, first), ran)
  await builder.push(tagOf('1'), () => {})
  const fromRegistry = await build.observe?.(params, context(id, first), undefined)
  assert.equal(fromEngine?.fresh && fromEngine.result, ran)
  assert.equal(fromRegistry?.fresh && fromRegistry.result, ran)
  assert.is(registry.asked.length, 2)
})

test('an index in the registry is no image that was built here', async () => {
  const { context, registry } = world()
  registry.hold(tagOf('1'), { digest: 'sha256:index' })
  assert.not((await build.observe?.(params, context(id, first), undefined))?.fresh)
})

for (const [name, held] of [
  ['gone from the engine', undefined],
  ['replaced in the engine', 'sha256:image-2'],
] as const) {
  test(`a cached result is not believed when the image is ${name}`, async () => {
    const { context, builder } = world()
    const ran = await build.run(params, context(id, first))
    builder.images.clear()
    if (held) builder.images.set(tagOf('1'), held)
    const look = await build.observe?.(params, context(id, first), ran)
    assert.equal(look, { fresh: false, because: { reason: 'absent', detail: `${tagOf('1')} is not in this machine's engine` } })
  })
}

test('without a registry in play none is asked, and the image has the name that the engine gives it', async () => {
  const { context, builder, registry } = world()
  const local = { ...params, remote: false }
  builder.build = async ({ tags: [tag = ''] }) => {
    builder.images.set(tag, 'sha256:what-the-engine-calls-it')
    return 'sha256:configuration'
  }
  const ran = await build.run(local, context(id, first))
  assert.is(ran.values['imageId'], 'sha256:what-the-engine-calls-it')
  assert.ok((await build.observe?.(local, context(id, first), ran))?.fresh)
  assert.equal(registry.asked, [])
})

test('an image that vanishes while it is built is a failure', async () => {
  const { context, builder } = world()
  builder.build = async () => 'sha256:image-1'
  await rejects(build.run({ ...params, remote: false }, context(id, first)), /does not have/)
})

test('a registry that cannot be asked fails the look: an effect of it would fail too', async () => {
  const { context, registry } = world()
  registry.failure = new TaskFailure({ reason: 'unreachable', subject: 'registry.test', message: 'registry.test cannot be reached' })
  await rejects(build.observe?.(params, context(id, first), undefined) ?? Promise.resolve(), /cannot be reached/)
})

test('another fingerprint is another tag, and the same image the same id', async () => {
  const { context } = world()
  const [one, two] = [builtImage(await build.run(params, context(id, first))), builtImage(await build.run(params, context(id, second)))]
  assert.is.not(one.tag, two.tag)
  assert.is(one.imageId, two.imageId)
})

test('where no platform is asked for, processor architectures do not share a tag', async () => {
  const { context } = world()
  const { tag } = builtImage(await build.run({ ...params, platforms: [] }, context(id, first)))
  assert.is(tag, `sc-${'1'.repeat(16)}-${process.arch}`)
})

test('a result of another kind is not taken for an image', () => {
  assert.throws(() => builtImage({ files: {}, values: {} }), /not the result of a build/)
})

test('sent without a registry: what every host has is neither built here nor looked for here', async () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const sent = { ...params, remote: false, hosts: ['node-1', 'node-2'] }
  const { context, builder } = world()
  const names = [tagOf('1'), `registry.test/shop/api:${digest.replace(':', '-')}`]
  const hosts = new Map(sent.hosts.map((name) => [name, new FakeHost(name)]))
  const given = () => {
    const base = context(id, first)
    return { ...base, ports: { ...base.ports, host: (name: string) => hosts.get(name) ?? new FakeHost(name) } }
  }
  const look = () => build.observe?.(sent, given(), undefined)
  hosts.get('node-1')?.images.hold(digest, [], ...names)
  assert.not((await look())?.fresh, 'one host decides nothing')
  hosts.get('node-2')?.images.hold(digest, [], ...names)
  const found = await look()
  assert.is(found?.fresh && found.result.values['imageId'], digest)
  hosts.get('node-2')?.failOn(/^images of/)
  assert.not((await look())?.fresh, 'a host that does not answer is no reason to fail')

  builder.nextImageId = digest
  const result = await build.run(sent, given())
  assert.equal([...builder.images.keys()].sort(), [...names].sort())
  hosts.clear()
  assert.ok((await build.observe?.(sent, given(), result))?.fresh)
  builder.images.set(names[1] ?? '', 'sha256:another')
  assert.not((await build.observe?.(sent, given(), result))?.fresh)
})

test.run()
