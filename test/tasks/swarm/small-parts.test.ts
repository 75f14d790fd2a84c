import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compact, differences } from '../../../tasks/swarm/compact.ts'
import { filledSpec, withForceCount, withObjectIds } from '../../../tasks/swarm/fill.ts'
import { networkDefinition } from '../../../tasks/swarm/network.ts'
import { portProblem, publishedPorts, takesHostPort } from '../../../tasks/swarm/published.ts'
import { releasedServices, swarmFileText } from '../../../tasks/swarm/released.ts'
import { bytes, nanoCpus, nanoseconds, words } from '../../../tasks/swarm/units.ts'
import { memorySecrets } from '../rendering/task-context.ts'

const test = suite('tasks/swarm/small-parts')

for (const [text, expected] of [
  ['1m30s', 90e9],
  ['500ms', 5e8],
  ['0', 0],
  ['1.5h', 5.4e12],
  ['soon', undefined],
  ['30', undefined],
] as const) {
  test(`${text} is ${expected} nanoseconds`, () => assert.is(nanoseconds(text), expected))
}

for (const [text, expected] of [
  ['64m', 64 * 1024 ** 2],
  ['1.5gb', 1.5 * 1024 ** 3],
  ['1024', 1024],
  ['2GiB', 2 * 1024 ** 3],
  ['much', undefined],
] as const) {
  test(`${text} is ${expected} bytes`, () => assert.is(bytes(text), expected))
}

test('half a processor is half a billion of billionths', () => {
  assert.is(nanoCpus('0.5'), 5e8)
  assert.is(nanoCpus('half'), undefined)
})

for (const [text, expected] of [
  ['httpd -f -p 8080', ['httpd', '-f', '-p', '8080']],
  [`sh -c 'echo "a b"  $HOME'`, ['sh', '-c', 'echo "a b"  $HOME']],
  ['a\\ b "c\\"d" \'e\\f\'', ['a b', 'c"d', 'e\\f']],
  ['say "" end', ['say', '', 'end']],
  ['', []],
] as const) {
  test(`the command ${JSON.stringify(text)} is split as Compose splits it`, () => assert.equal(words(text), expected))
}

test('what the Engine would leave out is left out, at every depth, but not from lists', () => {
  const given = { a: 0, b: '', c: false, d: { e: null, f: [] }, g: [0, '', { h: false, i: 1 }], j: undefined, k: 'x' }
  assert.equal(compact(given), { g: [0, '', { i: 1 }], k: 'x' })
})

test('differences are told by path; what only the swarm has does not count', () => {
  const wanted = { a: { b: 1, list: [{ x: 'y' }], skipped: 1 }, no: false }
  assert.equal(differences(wanted, { a: { b: 1, list: [{ x: 'y', more: 1 }] }, other: 2 }, new Set(['skipped'])), [])
  assert.equal(differences(wanted, { a: { b: 2, list: [{ x: 'z' }] }, no: true }, new Set(['skipped'])), ['a.b', 'a.list.x', 'no'])
  assert.equal(differences(wanted, undefined, new Set(['skipped'])), ['a.b', 'a.list'])
})

test('ports: short ones on every node, long ones as they say; ranges in step', () => {
  assert.equal(publishedPorts({ ports: ['8080-8081:80-81/udp', '9000', { target: 80, published: '8000', mode: 'host' }] }), [
    { Protocol: 'udp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' },
    { Protocol: 'udp', TargetPort: 81, PublishedPort: 8081, PublishMode: 'ingress' },
    { Protocol: 'tcp', TargetPort: 9000, PublishMode: 'ingress' },
    { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8000, PublishMode: 'host' },
  ])
  assert.ok(takesHostPort({ ports: [{ target: 80, published: '8000', mode: 'host' }] }))
  assert.not(takesHostPort({ ports: ['80:80', { target: 80, mode: 'host' }] }))
})

for (const [port, why] of [
  ['80:80', undefined],
  ['8080-8081:80-81', undefined],
  ['127.0.0.1:80:80', /one address/],
  ['8080-8089:80', /leaves a choice/],
  [{ target: 80, host_ip: '127.0.0.1' }, /one address/],
  [{ target: 80, published: '80-90' }, /range/],
] as const) {
  test(`the port ${JSON.stringify(port)} ${why ? 'cannot' : 'can'} be had on a swarm`, () => {
    const said = portProblem(port)
    if (why === undefined) assert.is(said, undefined)
    else assert.match(said ?? '', why)
  })
}

const entry = (spec: object, environment: readonly string[] = []) =>
  ({ hash: 'h', image: 'i', replicas: 1, spec, environment: [...environment] }) as Parameters<typeof filledSpec>[0]

test('secrets are filled in last, and nothing in a value is a template of the swarm', () => {
  const secrets = memorySecrets({ TOKEN: 'a{{.Node}}$b', KEY: '{{' })
  const container = { Env: ['A=${TOKEN}', 'B=$$1', 'C=${NONE:-d}'], Labels: { l: '{{x}}' } }
  const filled = filledSpec(entry({ Name: 'n', Labels: { a: 'b' }, TaskTemplate: { ContainerSpec: container } }, ['KEY']), secrets)
  const { ContainerSpec } = filled['TaskTemplate'] as { ContainerSpec: { Env: string[]; Labels: object } }
  assert.equal(ContainerSpec.Env, ['A=a{{"{{"}}.Node}}$b', 'B=$1', 'C=d', 'KEY={{"{{"}}'])
  assert.equal(ContainerSpec.Labels, { l: '{{"{{"}}x}}' })
  assert.equal(filled['Labels'], { a: 'b', 'stagecraft.hash': 'h' })
})

test('ids take the place beside names, and a count of forced changes is carried along', () => {
  const spec = { TaskTemplate: { ContainerSpec: { Configs: [{ ConfigName: 'c' }], Secrets: [{ SecretName: 's' }] } } }
  const resolved = withForceCount(withObjectIds(spec, { Config: { c: '1' }, Secret: { s: '2' } }), 3)
  assert.equal(resolved, {
    TaskTemplate: {
      ContainerSpec: { Configs: [{ ConfigName: 'c', ConfigID: '1' }], Secrets: [{ SecretName: 's', SecretID: '2' }] },
      ForceUpdate: 3,
    },
  })
  assert.is(withForceCount(spec, 0), spec)
})

test('a network between nodes can be joined by who looks for what is wrong', () => {
  assert.equal(networkDefinition('n', { internal: true, labels: ['a=b'], ipam: { config: [{ subnet: '10.1.0.0/24' }] } }), {
    ...{ Name: 'n', Driver: 'overlay', Attachable: true, Internal: true, Labels: { a: 'b' } },
    IPAM: { Config: [{ Subnet: '10.1.0.0/24' }] },
  })
})

test('what a release wants is kept without its spec, and read back', () => {
  const services = { web: { hash: 'h', image: 'i', replicas: 2, spec: { secret: 1 }, environment: ['A'] } }
  const text = swarmFileText({ services, configs: [], secrets: [], networks: [] })
  assert.not.match(text, /secret|environment/)
  assert.equal(releasedServices(text), [{ name: 'web', hash: 'h', image: 'i', replicas: 2 }])
  assert.throws(() => releasedServices('{}'))
})

test.run()
