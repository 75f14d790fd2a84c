/** Against a stand-in that does what the plugin's documentation says. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rejects } from '../../support/assertions.ts'
import { RolloutRig } from '../../support/rollout-rig.ts'

const test = suite('tasks/rolling/docker-rollout')

/** Doubles what runs, waits for nothing, and removes the old ones; `made` says what the new ones are like. */
function rig(replicas: number, plugin: (r: RolloutRig) => number = swapAll): RolloutRig {
  const r = new RolloutRig({ driver: 'docker-rollout', replicas })
  r.host.answer(/^docker info /, { stdout: '[{"Name":"compose","Version":"2.26.1"},{"Name":"rollout","Version":"v0.13"}]\n' })
  r.host.answer(/^printenv HOME$/, { stdout: '/home/deploy\n' })
  r.host.answer(/docker rollout --file .* web$/, () => ({ code: plugin(r) }))
  r.host.answer(/ docker compose .* up --detach --no-deps --scale web=\d+ web$/, ({ argv }) => {
    const count = Number(argv.at(-2)?.split('=')[1])
    for (let n = 1; n <= count; n++) r.host.engine.add({ name: `up-${n}`, service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
    return {}
  })
  return r
}

function swapAll(r: RolloutRig): number {
  const old = r.host.engine.containers().filter(({ state }) => state === 'running')
  for (const { name } of old) r.host.engine.add({ name: `${name}-new`, service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
  for (const { id } of old) void r.host.engine.remove(id)
  return 0
}

test('the plugin replaces what runs, told where the file is and how long to wait', async () => {
  const r = rig(2)
  r.old('web-1', 'web-2')
  await r.run()
  assert.equal(r.state(), ['web-1-new new running', 'web-2-new new running'])
  const words = r.host.commands.find(({ argv }) => argv.includes('rollout') && argv.includes('web'))?.argv.join(' ') ?? ''
  assert.match(
    words,
    / HOME=\/home\/deploy docker rollout --file \/opt\/stagecraft\/shop\/prod\/bundles\/b+\/docker-compose\.yml --project-name shop-prod --timeout 0.2 --wait 0 web$/,
  )
})

for (const [title, plugins] of [
  ['is not there', '[{"Name":"compose","Version":"2.26.1"}]'],
  ['is there, but broken', '[{"Name":"rollout","Err":"exec format error"}]'],
  ['cannot be: Docker has no plugins at all', 'null'],
] as const) {
  test(`it ${title}: asked for once per host, and missed with a word on what to do`, async () => {
    const r = rig(1)
    r.host.answer(/^docker info /, { stdout: `${plugins}\n` })
    r.old('web-1')
    for (let turn = 0; turn < 2; turn++) assert.match(((await rejects(r.run())) as Error).message, /node-1 does not have that plugin/)
    assert.is(r.host.commands.filter(({ argv }) => argv.includes('info')).length, 1)
    assert.equal(r.state(), ['web-1 old running'])
  })
}

test('a Docker that does not answer is not a plugin that is missing', async () => {
  const r = rig(1)
  r.host.answer(/^docker info /, { code: 1, stderr: 'permission denied\n' })
  r.old('web-1')
  assert.match(((await rejects(r.run())) as Error).message, /`docker info` on node-1 ended with code 1/)
})

test('it would start again what is stopped, so that goes before', async () => {
  const r = rig(1)
  r.old('web-1')
  r.host.engine.add({ name: 'web-0', service: 'web', hash: 'older', state: 'exited' })
  await r.run()
  assert.equal(r.state(), ['web-1-new new running'])
})

test('where nothing runs yet Compose brings it up', async () => {
  const r = rig(2)
  await r.run()
  assert.equal(r.state(), ['up-1 new running', 'up-2 new running'])
})

test('it keeps the number that ran; the definition’s number is made right after it', async () => {
  const r = rig(1)
  r.old('web-1', 'web-2')
  await r.run()
  assert.is(r.running('new').length, 1)
})

test('when it fails, what it made goes and what ran before serves on', async () => {
  const r = rig(1, (one) => {
    one.host.engine.add({ name: 'half', service: 'web', hash: 'new', restartPolicy: 'unless-stopped' })
    return 1
  })
  r.old('web-1')
  assert.match(((await rejects(r.run())) as Error).message, /ended with code 1/)
  assert.equal(r.state(), ['web-1 old running'])
})

test('when it says that all is well and it is not, we say what is', async () => {
  const dead = rig(1, (one) => {
    one.host.engine.add({ name: 'dead', service: 'web', hash: 'new', state: 'exited' })
    one.host.engine.behave('dead', 'dies')
    void one.host.engine.stop('web-1', 1)
    return 0
  })
  dead.old('web-1')
  assert.match(((await rejects(dead.run())) as Error).message, /exited with code 1/)
  assert.equal(dead.state(), ['web-1 old running'])
  const idle = rig(1, () => 0)
  idle.old('web-1')
  assert.match(((await rejects(idle.run())) as Error).message, /still runs the old version/)
})

test.run()
