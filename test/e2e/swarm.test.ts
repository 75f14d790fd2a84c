/** A swarm of two real hosts: deployed to, changed under requests, broken, scaled, and gone back. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { SwarmShop } from '../support/swarm-shop.ts'

const suite = await labSuite('e2e/swarm', 2)
const { test } = suite
let shop: SwarmShop

test.before(() => {
  shop = new SwarmShop(suite.lab())
  shop.joinSwarm()
})
test.after(() => shop.remove())

test('a first deploy makes networks, secrets, configs and services, and they find each other', async () => {
  const { code, stdout, stderr, ran } = await shop.deploy(['--version', 'v1'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(shop.services(), ['app 1/1', 'store 2/2'])
  assert.equal(ran.filter((id) => id.startsWith('rollout:')).sort(), ['rollout:app', 'rollout:store'])
  assert.is(await shop.version(), '1')
  assert.match(shop.inspect('app').Spec.TaskTemplate.ContainerSpec.Image, /@sha256:[0-9a-f]{64}$/)
  // What is a secret, a config and a variable means itself, whatever characters it has.
  assert.is(shop.inside('app', 'cat', '/run/secrets/token'), shop.token)
  assert.is(shop.inside('app', 'cat', '/etc/motd'), 'hello\n')
  assert.is(shop.inside('app', 'sh', '-c', 'echo "$GREETING|$TOKEN"').trim(), `{{hello}} $1|${shop.token}`)
  assert.ok(
    shop.inside('app', 'wget', '-q', '-O', '-', 'http://store:7000/etc/passwd').length > 0,
    'store answers over the overlay network',
  )
  const homes = shop.on(0, 'docker', 'service', 'ps', `${shop.name}-prod_store`, '--format', '{{.Node}}').trim().split('\n')
  assert.is(new Set(homes).size, 1, 'its role is that of one node')
  assert.not.match(stdout + stderr, new RegExp(shop.password))
})

test('again: only looked at', async () => {
  const { code, ran, stderr, stdout } = await shop.deploy(['--version', 'v1'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(ran, [])
})

test('a second version comes up before the first goes: no request is lost', async () => {
  shop.release('2')
  const { result, asked, unanswered, seen } = await shop.underRequests(shop.deploy(['--version', 'v2']))
  assert.is(result.code, 0, result.stderr + result.stdout)
  assert.is(unanswered, 0, `${unanswered} of ${asked} requests were not answered`)
  assert.equal(seen, ['1', '2'])
  assert.equal(
    result.ran.filter((id) => id.startsWith('rollout:')),
    ['rollout:app'],
  )
  assert.is(shop.inspect('app').UpdateStatus?.State, 'completed')
})

test('a broken image: the swarm goes back, the old version serves on, exit 2 says so', async () => {
  shop.release('broken')
  const { result, unanswered, seen } = await shop.underRequests(shop.deploy(['--version', 'v3']))
  const said = result.stdout + result.stderr
  assert.is(result.code, 2, said)
  assert.match(
    said,
    /the new version of app failed: a copy on [^:]+: task: non-zero exit \(3\); the swarm rolled it back, and the old version serves/,
  )
  assert.match(said, /cannot serve broken/)
  assert.is(unanswered, 0)
  assert.equal(seen, ['2'])
  assert.is(shop.inspect('app').UpdateStatus?.State, 'rollback_completed')
  shop.release('2')
  const after = await shop.deploy(['--version', 'v2'])
  assert.is(after.code, 0, after.stderr + after.stdout)
  assert.equal(
    after.ran.filter((id) => id.startsWith('rollout:')),
    [],
    'what runs is what is wanted',
  )
})

test('one copy more replaces none', async () => {
  const before = shop.inspect('store').Spec.Labels['stagecraft.hash']
  shop.configure({ stores: 3 })
  const { code, stdout, stderr } = await shop.deploy(['--version', 'v2'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(shop.services(), ['app 1/1', 'store 3/3'])
  assert.is(shop.inspect('store').Spec.Labels['stagecraft.hash'], before)
  const states = shop.on(0, 'docker', 'service', 'ps', `${shop.name}-prod_store`, '--format', '{{.DesiredState}}').trim().split('\n')
  assert.equal(states, ['Running', 'Running', 'Running'])
})

test('changed by hand: status and plan say so, a deploy repairs it', async () => {
  shop.on(0, 'docker', 'service', 'update', '--detach', '--env-add', 'GREETING=bye', `${shop.name}-prod_app`)
  const plan = await shop.run(['plan', '--env', 'prod'])
  assert.match(plan.stdout, /rollout:app[\s\S]*changed by hand: Env/)
  const { code, stdout, stderr } = await shop.deploy(['--version', 'v2'])
  assert.is(code, 0, stderr + stdout)
  // The one before is being stopped, on either node.
  const greetings = () => shop.insideEach('app', 'sh', '-c', 'echo "$GREETING"')
  for (let tries = 0; tries < 50 && greetings().length > 1; tries++) await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal(greetings(), ['{{hello}} $1'])
})

test('killed in the middle of an update: the next plain deploy converges', async () => {
  shop.release('4')
  const killed = await shop.deploy(['--version', 'v4'], {
    onSpawn: (child) => {
      let text = ''
      child.stdout?.on('data', (part: string) => {
        text += part
        if (text.includes('of 1 run')) child.kill('SIGKILL')
      })
    },
  })
  assert.is(killed.signal, 'SIGKILL', killed.stdout + killed.stderr)
  const { code, stdout, stderr } = await shop.deploy(['--version', 'v4'])
  assert.is(code, 0, stderr + stdout)
  assert.is(await shop.version(), '4')
  const again = await shop.deploy(['--version', 'v4'])
  assert.equal(again.ran, [])
})

test('a rollback takes the image of then by its digest', async () => {
  const { code, stdout, stderr } = await shop.run(['rollback', '--env', 'prod', '--to-previous', '--yes'])
  assert.is(code, 0, stderr + stdout)
  assert.is(await shop.version(), '2')
})

test('status and logs tell of every copy; what a swarm does by itself is refused', async () => {
  const status = await shop.run(['status', '--env', 'prod', '--format', 'json'])
  assert.is(status.code, 0, status.stderr)
  const { hosts } = JSON.parse(status.stdout) as { hosts: { services: { name: string; replicas: { running: number } }[] }[] }
  assert.equal(
    hosts.flatMap(({ services }) => services.map(({ name, replicas }) => `${name} ${replicas.running}`)),
    ['app 1', 'store 3'],
  )
  const logs = await shop.run(['logs', 'app', '--env', 'prod', '--tail', 'all'])
  assert.is(logs.code, 0, logs.stderr)
  for (const words of [['restart', 'app'], ['exec', 'app', '--', 'true'], ['prune']]) {
    const { code, stderr } = await shop.run([...words.slice(0, 1), '--env', 'prod', ...words.slice(1)])
    assert.is(code, 1, `${words.join(' ')}: ${stderr}`)
    assert.match(stderr, /swarm/)
  }
})

test('a service that leaves the project goes, with what only it had', async () => {
  shop.configure({ isStoreThere: false })
  const { code, stdout, stderr } = await shop.deploy(['--version', 'v5'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(shop.services(), ['app 1/1'])
})

suite.run()
