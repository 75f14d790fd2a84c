import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActionResult, Fingerprint, TaskId } from '../../graph/types.ts'
import { type TaskContext, TaskFailure } from '../../tasks/kind.ts'
import type { Ports } from '../../tasks/ports.ts'
import { transfer } from '../../tasks/transfer.ts'
import { rejects } from '../support/assertions.ts'
import { FakeHost } from '../support/fake-host.ts'
import { FakeSpool } from '../support/fake-host-images.ts'
import { FakeBuilder, FakeRegistry } from '../support/fake-images.ts'

const test = suite('tasks/transfer')

const repository = 'shop-web'
const layers = ['a', 'b', 'c', 'd'].map((letter) => `sha256:${letter.repeat(64)}`)
const [base = '', more = '', code = '', last = ''] = layers
const content = `${repository}:sc-1`

/** Two hosts, and this machine, which has built the image. */
class Rig {
  readonly hosts = new Map(['node-1', 'node-2'].map((name) => [name, new FakeHost(name)]))
  readonly spool = new FakeSpool()
  readonly builder = new FakeBuilder(new FakeRegistry())
  readonly lines: string[] = []
  readonly digest: string
  readonly sent: string
  params = {
    service: 'web',
    host: 'node-1',
    repository,
    image: 'build:web',
    others: ['node-2'],
    minFreeBytes: null as number | null,
  }
  guard: () => Promise<void> = async () => {}

  constructor() {
    this.digest = this.spool.image(layers)
    this.sent = `${repository}:${this.digest.replace(':', '-')}`
    this.builder.images.set(this.sent, this.digest)
    this.builder.layersOf.set(this.digest, layers)
  }
  host(name = 'node-1'): FakeHost {
    const found = this.hosts.get(name)
    if (!found) throw new Error(`no ${name}`)
    return found
  }
  context(result: ActionResult = built(this.digest)): TaskContext {
    const ports = { host: (name: string) => this.host(name), spool: this.spool, builder: this.builder } as unknown as Ports
    return {
      id: 'transfer:web@node-1' as TaskId,
      fingerprint: 'f' as Fingerprint,
      scope: { project: 'shop', environment: 'prod', version: 'v1' },
      signal: new AbortController().signal,
      needs: new Map([[this.params.image as TaskId, result]]),
      ports,
      log: (line) => void this.lines.push(line),
      hold: () => {},
      guard: () => this.guard(),
    }
  }
  run(): Promise<ActionResult> {
    return transfer.run(this.params, this.context())
  }
  /** What a look says, in one line. */
  async look(): Promise<string> {
    const look = await transfer.observe?.(this.params, this.context(), undefined)
    return look?.fresh ? (look.detail ?? '') : `${look?.because.reason}: ${look?.because.detail}`
  }
}

async function failed(work: Promise<unknown>): Promise<TaskFailure> {
  const error = await rejects(work)
  assert.instance(error, TaskFailure)
  return error as TaskFailure
}

const built = (imageId: string, tag = 'sc-1'): ActionResult => ({ files: {}, values: { repository, tag, imageId } })

test('an empty host gets every layer, some megabytes at a time, and nothing but the image is left', async () => {
  const rig = new Rig()
  rig.spool.packedBytes = 5_000_000
  assert.match(await rig.look(), /^absent: sha256:[0-9a-f]{12} is not on node-1$/)
  const result = await rig.run()
  assert.equal(result.values, { repository, digest: rig.digest })
  assert.equal(rig.host().images.loads, [
    [base, more],
    [code, last],
  ])
  assert.equal(rig.host().images.names(), [content, rig.sent].sort())
  assert.equal(rig.lines, [
    'sending 4 of 4 layers from this machine to node-1, 20.0 MB',
    'sent 2 of 4 layers, 10.0 MB',
    'sent 4 of 4 layers, 20.0 MB',
  ])
  assert.match(await rig.look(), /^sha256:[0-9a-f]{12} is on node-1$/)
})

test('layers that are there, whoever brought them, are neither read nor sent', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:other', [base, more, 'sha256:another'], 'postgres:17')
  await rig.run()
  assert.equal(rig.host().images.loads, [[code, last]])
  assert.equal(rig.spool.requests[0]?.wanted, [code, last])
  assert.equal(rig.lines.at(-1), 'sent 2 of 4 layers, 2.0 MB')
})

test('a layer upon another base is another layer', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:other', ['sha256:else', more, code], 'other:1')
  await rig.run()
  assert.equal(rig.host().images.loads, [layers])
})

test('an image of which only the description is new sends no layer', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:older', layers, `${repository}:sha256-older`)
  await rig.run()
  assert.equal(rig.host().images.loads, [[]])
  assert.match(rig.lines.at(-1) ?? '', /^all 4 layers were on node-1/)
})

test('the same image built from something else is given its tag, and nothing is sent', async () => {
  const rig = new Rig()
  rig.host().images.hold(rig.digest, layers, rig.sent)
  assert.match(await rig.look(), /^drift: .* without the tag of this build$/)
  await rig.run()
  assert.equal(rig.host().writes(), [`tag ${rig.sent} ${content}`])
})

test('a name that somebody gave to another image is drift, and taken back', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:other', [base], rig.sent)
  assert.is(await rig.look(), 'drift: another image has its name on node-1')
  await rig.run()
  assert.match(await rig.look(), /is on node-1$/)
})

test('what an earlier run brought before it was cut short is not sent again', async () => {
  const rig = new Rig()
  rig.spool.packedBytes = 9_000_000
  rig.host().failOn(/^load /, { after: 2 })
  const error = await failed(rig.run())
  assert.is(error.failure.reason, 'unreachable')
  assert.equal(rig.host().images.loads, [[base], [more]])
  await rig.run()
  assert.equal(rig.host().images.loads.slice(2), [[code], [last]])
  assert.equal(rig.host().images.names(), [content, rig.sent].sort())
})

test('an engine that does not take a part is sent all of it', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:other', [base, more], 'postgres:17')
  const missing = new TaskFailure({ reason: 'missing-output', subject: 'node-1', message: 'layer not found' })
  rig.host().failOn(/^load /, { error: missing })
  await rig.run()
  assert.equal(rig.host().images.loads, [layers])
  assert.ok(rig.lines.some((line) => line.includes('does not take a part of the image')))
})

test('another refusal is not tried again', async () => {
  const rig = new Rig()
  rig.host().images.hold('sha256:other', [base, more], 'postgres:17')
  rig.host().failOn(/^load /, { error: new TaskFailure({ reason: 'refused', subject: 'node-1', message: 'no space left on device' }) })
  assert.match((await failed(rig.run())).failure.message, /no space left/)
  assert.equal(rig.host().images.loads, [])
})

test('too little room on the host: nothing is sent', async () => {
  const rig = new Rig()
  rig.host().hasFree(500_000_000)
  assert.match((await failed(rig.run())).failure.message, /500 MB free/)
  assert.equal([rig.host().writes(), rig.spool.requests], [[], []])
})

test('a lock that is lost stops it before the next part', async () => {
  const rig = new Rig()
  rig.spool.packedBytes = 9_000_000
  let guarded = 0
  rig.guard = async () => {
    guarded += 1
    if (guarded === 3) throw new TaskFailure({ reason: 'lock-lost', subject: 'node-1', message: 'the lock was taken over' })
  }
  assert.is((await failed(rig.run())).failure.reason, 'lock-lost')
  assert.equal(rig.host().images.loads, [[base], [more]])
})

test('what this machine does not have comes from a host that has it', async () => {
  const rig = new Rig()
  rig.builder.images.clear()
  rig.host('node-2').images.hold(rig.digest, layers, rig.sent)
  await rig.run()
  assert.is(rig.spool.requests[0]?.from, rig.host('node-2').images)
  assert.match(rig.lines[0] ?? '', /^sending 4 of 4 layers from node-2 to node-1/)
})

test('nobody has it: what to do, for a deploy and for a rollback', async () => {
  const rig = new Rig()
  rig.builder.images.clear()
  rig.host('node-2').failOn(/^images of/)
  const error = await failed(rig.run())
  assert.match(error.failure.message, /is not on node-1, and neither this machine nor another host has it$/)
  assert.is(error.failure.remedy, 'build it again: --force=build:web')
  assert.equal(rig.lines, ['node-2 could not be asked for the image: node-2: connection lost'])
  rig.params = { ...rig.params, image: 'pin:web' }
  assert.match((await failed(rig.run())).failure.remedy ?? '', /^roll back from the machine that built it/)
})

test('a store that calls images by their manifests is taken at the name', async () => {
  const rig = new Rig()
  const image = { id: 'sha256:manifest', tags: [rig.sent, content], digests: [`${repository}@sha256:manifest`] }
  rig.host().images.named = async () => [image]
  assert.match(await rig.look(), /is on node-1$/)
  rig.host().images.named = async () => [{ ...image, digests: [] }]
  assert.match(await rig.look(), /^drift: another image/)
})

test('an identical rebuild enters neither the fingerprint nor the result', () => {
  const { params } = new Rig()
  const select = (tag: string) => transfer.select?.(params, 'build:web' as TaskId, built('sha256:1', tag))
  assert.equal(select('sc-1'), select('sc-2'))
  const identity = (others: readonly string[]) => transfer.identity?.({ ...params, others: [...others] })
  assert.equal(identity([]), identity(['node-2']))
})

test('it stands for a push in a deploy; a rollback pushes nothing', () => {
  const { params } = new Rig()
  assert.is(transfer.phaseOf?.(params), 'push')
  assert.is(transfer.phaseOf?.({ ...params, image: 'pin:web' }), 'rollout')
  assert.is(transfer.title(params), 'send web to node-1')
})

test.run()
