import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ActionResult, JsonObject } from '../../../graph/types.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rollout } from '../../../tasks/rollout.ts'
import type { SwarmRolloutParams } from '../../../tasks/swarm/params.ts'
import { rejects } from '../../support/assertions.ts'
import { FakeHost } from '../../support/fake-host.ts'
import { MemoryContent, taskContext } from '../rendering/task-context.ts'

const test = suite('tasks/swarm/rollout')

const image = `ghcr.io/acme/shop/web@sha256:${'a'.repeat(64)}`
const params = (parts: Partial<SwarmRolloutParams> = {}): SwarmRolloutParams => ({
  ...{ service: 'web', manager: 'node-1', stack: 'stack:prod', order: 'start-first', orderReason: null },
  ...{ timeoutSeconds: 1, monitorSeconds: 0, replicas: 2, ...parts },
})

class Rig {
  readonly host = new FakeHost()
  readonly content = new MemoryContent()
  readonly logged: string[] = []
  readonly stop = new AbortController()
  stack: ActionResult = stackOf('one')
  digests: Readonly<Record<string, string>> = {}

  constructor() {
    this.host.isManager = true
  }

  context() {
    const context = taskContext({ host: this.host, content: this.content, secrets: { TOKEN: 'hush' }, needs: { 'stack:prod': this.stack } })
    const registry = {
      manifest: async (reference: string) => (this.digests[reference] === undefined ? undefined : { digest: this.digests[reference] }),
      forget: () => {},
      credentials: async () => ({ username: 'u', password: 'p', serveraddress: 's' }),
    }
    const ports = Object.defineProperty(Object.create(context.ports) as typeof context.ports, 'registry', { value: registry })
    return { ...context, ports, signal: this.stop.signal, log: (line: string) => void this.logged.push(line) }
  }
  look = () => {
    this.host.changed()
    return rollout.observe?.(params(), this.context(), undefined)
  }
  run = (parts: Partial<SwarmRolloutParams> = {}) => rollout.run(params(parts), this.context())
  undo = (result: ActionResult) => rollout.undo?.(params(), this.context(), result)
  get sent(): { TaskTemplate: { ForceUpdate?: number; ContainerSpec: { Image: string; Env: string[]; Secrets: object[] } }; Mode: object } {
    return this.host.swarm.sent.at(-1) as never
  }
  async failure(parts: Partial<SwarmRolloutParams> = {}): Promise<TaskFailure['failure']> {
    const error = await rejects(this.run(parts))
    if (!(error instanceof TaskFailure)) throw error
    return error.failure
  }
}

function stackOf(
  hash: string,
  { replicas = 2, reference = image }: { readonly replicas?: number; readonly reference?: string } = {},
): ActionResult {
  const container = { Image: reference, Env: ['T=${TOKEN}'], Secrets: [{ SecretName: 'shop_token', File: { Name: '/t' } }] }
  const spec: JsonObject = {
    Name: 'shop-prod_web',
    Labels: { 'stagecraft.service': 'web' },
    TaskTemplate: { ContainerSpec: container },
    Mode: { Replicated: { Replicas: replicas } },
  }
  const web = { hash, image: reference, replicas, spec, environment: [] }
  const secrets = [{ name: 'shop_token', content: { template: 'x${TOKEN}' } }]
  return { files: {}, values: { services: { web }, configs: [], secrets, networks: [] } }
}

test('a first deploy makes its secrets, then the service, with credentials that every node can use', async () => {
  const rig = new Rig()
  assert.equal(await rig.look(), { fresh: false, because: { reason: 'absent', detail: 'not in the swarm yet' } })
  const { values } = await rig.run()
  assert.is(values['change'], 'made')
  assert.equal(
    rig.host.writes().filter((call) => call !== 'changed'),
    ['make secrets shop_token', 'create shop-prod_web'],
  )
  assert.is(Buffer.from(String(rig.host.swarm.made[0]?.definition['Data']), 'base64').toString(), 'xhush')
  assert.equal(rig.sent.TaskTemplate.ContainerSpec.Env, ['T=hush'])
  assert.equal(rig.sent.TaskTemplate.ContainerSpec.Secrets, [
    { SecretName: 'shop_token', File: { Name: '/t' }, SecretID: 'secrets-shop_token' },
  ])
  assert.is(rig.host.swarm.credentials[0]?.username, 'u')
  assert.ok((await rig.look())?.fresh)
})

test('a secret stays out of results and of what is logged', async () => {
  const rig = new Rig()
  const result = await rig.run()
  assert.not.match(JSON.stringify(result) + rig.logged.join(), /hush/)
})

test('another definition is an update; one that the engine takes back fails truly, with the output of the copy', async () => {
  const rig = new Rig()
  await rig.run()
  rig.stack = stackOf('two')
  const look = await rig.look()
  assert.is(look?.fresh === false && look.because.detail, 'the swarm has another definition')
  rig.host.swarm.behaviour = 'dies'
  rig.host.swarm.lines = ['no such table']
  const { reason, message, output } = await rig.failure()
  assert.is(reason, 'unhealthy')
  assert.is(
    message,
    'the new version of web failed: a copy on host-2: task: non-zero exit (1); the swarm rolled it back, and the old version serves',
  )
  assert.equal(output, ['no such table'])
  assert.is(rig.host.swarm.services()[0]?.hash, 'one')
  rig.stack = stackOf('one')
  assert.ok((await rig.look())?.fresh, 'what runs is what was wanted before')
})

test('a service that never came up is removed again', async () => {
  const rig = new Rig()
  rig.host.swarm.behaviour = 'dies'
  const { message } = await rig.failure()
  assert.match(message, /failed: a copy on host-\d: task: non-zero exit \(1\); it was removed again$/)
  assert.equal(rig.host.swarm.services(), [])
})

test('what is not done in time goes back, and says what it waited for', async () => {
  const rig = new Rig()
  await rig.run()
  rig.stack = stackOf('two')
  rig.host.swarm.behaviour = 'hangs'
  const { reason, message } = await rig.failure({ replicas: 1 })
  assert.is(reason, 'timeout')
  assert.match(message, /was not done within 1 s \(0 of 2 run\); the swarm was told to go back, and the old version serves/)
  assert.is(rig.host.swarm.services()[0]?.hash, 'one')
})

test('interrupted, it takes back what it sent', async () => {
  const rig = new Rig()
  await rig.run()
  rig.stack = stackOf('two')
  rig.host.swarm.behaviour = 'hangs'
  rig.stop.abort()
  const { reason } = await rig.failure()
  assert.is(reason, 'interrupted')
  assert.is(rig.host.swarm.services()[0]?.hash, 'one')
})

test('one copy more is no other definition; a forced run replaces all, and its count is carried along', async () => {
  const rig = new Rig()
  await rig.run()
  rig.stack = stackOf('one', { replicas: 3 })
  const look = await rig.look()
  assert.is(look?.fresh === false && look.because.detail, 'the swarm is to run 2, not 3')
  await rig.run()
  assert.is(rig.sent.TaskTemplate.ForceUpdate, undefined)
  await rig.run()
  assert.is(rig.sent.TaskTemplate.ForceUpdate, 1)
  rig.stack = stackOf('one', { replicas: 2 })
  await rig.run()
  assert.is(rig.sent.TaskTemplate.ForceUpdate, 1)
})

test('an update that a killed run began is waited for, and not sent again', async () => {
  const rig = new Rig()
  await rig.run()
  const before = rig.host.swarm.sent.length
  rig.host.swarm.alter('id-shop-prod_web', { running: 1 })
  const look = await rig.look()
  assert.is(look?.fresh === false && look.because.detail, '1 of 2 replicas run')
  const { values } = await rig.run()
  assert.is(rig.host.swarm.sent.length, before)
  assert.is(values['change'], undefined)
})

test('changed by hand: told by what was changed, and brought back', async () => {
  const rig = new Rig()
  await rig.run()
  const [service] = rig.host.swarm.services()
  const template = { ContainerSpec: { Image: 'other', Env: ['T=bye'], Secrets: [{ SecretName: 'shop_token', File: { Name: '/t' } }] } }
  rig.host.swarm.alter('id-shop-prod_web', { spec: { ...service?.spec, TaskTemplate: template } })
  const look = await rig.look()
  assert.is(look?.fresh === false && look.because.detail, 'it was changed by hand: image, Env')
  await rig.run()
  assert.equal(rig.sent.TaskTemplate.ContainerSpec.Env, ['T=hush'])
})

test('an image of others is pinned to the digest its tag has, and stays so while nothing else changes', async () => {
  const rig = new Rig()
  rig.stack = stackOf('one', { reference: 'postgres:17' })
  rig.digests = { 'postgres:17': 'sha256:1' }
  await rig.run()
  assert.is(rig.sent.TaskTemplate.ContainerSpec.Image, 'postgres:17@sha256:1')
  rig.digests = { 'postgres:17': 'sha256:2' }
  assert.ok((await rig.look())?.fresh)
  rig.stack = stackOf('one', { reference: 'postgres:17', replicas: 1 })
  await rig.run()
  assert.is(rig.sent.TaskTemplate.ContainerSpec.Image, 'postgres:17@sha256:1')
})

test('taken back when others fail: what was made goes, what was changed is what it was', async () => {
  const rig = new Rig()
  const made = await rig.run()
  rig.stack = stackOf('two')
  const changed = await rig.run()
  await rig.undo(changed)
  assert.is(rig.host.swarm.services()[0]?.hash, 'one')
  await rig.undo(made)
  assert.equal(rig.host.swarm.services(), [])
  const writes = rig.host.writes().length
  await rig.undo({ files: {}, values: {} })
  assert.is(rig.host.writes().length, writes)
})

test('a secret that somebody else was to make is missed by name, before anything is sent', async () => {
  const rig = new Rig()
  rig.stack = { ...rig.stack, values: { ...rig.stack.values, secrets: [] } }
  const { message, remedy } = await rig.failure()
  assert.match(message, /has no secret shop_token/)
  assert.match(remedy ?? '', /docker secret create shop_token/)
  assert.equal(rig.host.swarm.sent, [])
})

test.run()
