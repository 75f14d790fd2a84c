import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Failure, Fingerprint, TaskId } from '../../graph/types.ts'
import { type TaskContext, TaskFailure } from '../../tasks/kind.ts'
import { type PinParams, pin } from '../../tasks/pin.ts'
import type { Ports, Registry } from '../../tasks/ports.ts'
import { rejects } from '../support/assertions.ts'

const test = suite('tasks/pin')

const digest = `sha256:${'a'.repeat(64)}`
const params: PinParams = { service: 'web', repository: 'ghcr.io/acme/web', digest, version: 'v1', release: 'rel-1', hosts: ['h1', 'h2'] }

/** A registry with an answer for each reference, hosts with images; anything else that is asked for is an error. */
function context(
  manifest: (reference: string) => string | undefined,
  images: Readonly<Record<string, readonly string[]>> = {},
): TaskContext {
  const registry = {
    manifest: async (reference: string) => {
      const found = manifest(reference)
      return found === undefined ? undefined : { digest: found }
    },
  } as Registry
  const host = (name: string) => ({ engine: { hasImage: async (reference: string) => images[name]?.includes(reference) === true } })
  return {
    ...{ id: 'pin:web' as TaskId, fingerprint: 'f' as Fingerprint, scope: { project: 'shop', environment: 'prod', version: 'v1' } },
    ...{ signal: new AbortController().signal, needs: new Map(), hold: () => {}, log: () => {}, guard: async () => {} },
    ports: { registry, host } as unknown as Ports,
  }
}

async function failure(work: Promise<unknown> | undefined): Promise<Failure> {
  const error = await rejects(Promise.resolve(work))
  assert.instance(error, TaskFailure)
  return (error as TaskFailure).failure
}

const look = (given: PinParams, at: TaskContext) => pin.observe?.(given, at, undefined)
const reference = `${params.repository}@${digest}`
const unreachable = () => {
  throw new TaskFailure({ reason: 'unreachable', subject: 'ghcr.io', message: 'no answer', remedy: 'wait' })
}

test('what the registry has is taken by its digest', async () => {
  const found = await look(
    params,
    context((asked) => (asked === reference ? digest : undefined)),
  )
  assert.equal(found?.fresh && found.result.values, { repository: params.repository, digest })
})

test('without a digest the tag of the version decides', async () => {
  const found = await look(
    { ...params, digest: null },
    context((asked) => (asked === 'ghcr.io/acme/web:v1' ? digest : undefined)),
  )
  assert.equal(found?.fresh && found.result.values, { repository: params.repository, digest })
})

for (const [title, manifest] of [
  ['has lost it', () => undefined],
  ['does not answer', unreachable],
] as const) {
  test(`a registry that ${title} is not needed when every host has the image`, async () => {
    const found = await look(params, context(manifest, { h1: [reference], h2: [reference] }))
    assert.ok(found?.fresh)
    assert.match(found?.fresh ? (found.detail ?? '') : '', /is on h1, h2/)
  })
  test(`a registry that ${title} is told of when a host lacks the image`, async () => {
    const error = await failure(look(params, context(manifest, { h1: [reference] })))
    assert.match(error.message, /it is not on h2; nothing was changed/)
  })
}

test('lost for good: says what to do', async () => {
  const error = await failure(
    pin.run(
      { ...params, digest: null },
      context(() => undefined),
    ),
  )
  assert.match(error.message, /rel-1 recorded no digest/)
  assert.match(error.remedy ?? '', /stagecraft deploy --version v1/)
})

test('which release it is from, and where it goes, makes no other image', () => {
  assert.equal(pin.identity?.(params), pin.identity?.({ ...params, release: 'rel-2', hosts: [] }))
  assert.not.equal(pin.identity?.(params), pin.identity?.({ ...params, digest: null }))
})

test('its parameters are checked strictly; a release may have recorded no digest', () => {
  const accepts = (more: object) => pin.params.safeParse({ ...params, ...more }).success
  assert.ok(accepts({}) && accepts({ digest: null }))
  for (const wrong of [{ digest: undefined }, { hosts: 'h1' }, { more: 1 }]) assert.not.ok(accepts(wrong), JSON.stringify(wrong))
})

test('one that was sent is looked for on its hosts, on this machine, and on the other hosts', async () => {
  const given: PinParams = { ...params, sent: ['h1', 'h2', 'h3'] }
  const name = `${params.repository}:${digest.replace(':', '-')}`
  const at = (having: readonly string[], local: boolean): TaskContext => {
    const named = (host: string) => async () => (having.includes(host) ? [{ id: digest, tags: [name], digests: [] }] : [])
    const ports = {
      host: (host: string) => ({ images: { named: named(host) } }),
      builder: { layers: async (reference: string) => (local && reference === name ? [] : undefined) },
    }
    return { ...context(unreachable), ports: ports as unknown as Ports }
  }
  const cases: readonly (readonly [having: readonly string[], local: boolean, where: string])[] = [
    [['h1', 'h2'], false, 'h1, h2'],
    [['h2'], true, 'h2'],
    [[], true, 'this machine'],
    [['h3'], false, 'h3'],
  ]
  for (const [having, local, where] of cases) {
    const found = await look(given, at(having, local))
    assert.is(found?.fresh && found.detail, `sha256:aaaaaaaaaaaa of rel-1 is on ${where}`)
  }
  assert.match((await failure(look(given, at([], false)))).message, /neither this machine nor a host has it any more; nothing was changed$/)
})

test.run()
