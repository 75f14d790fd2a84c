/** Three real hosts: who finds whom, who goes first, and where the fleet is after a failure on one of them. */
import * as assert from 'uvu/assert'
import { Fleet } from '../support/fleet.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/fleet', 3)
const { test } = suite
let fleet: Fleet

test.before(() => {
  fleet = new Fleet(suite.lab())
})
test.after(() => fleet.remove())

const all = (version: string, replicas = 2) =>
  ['node-1', 'node-2', 'node-3'].map((host) => [host, ...Array.from({ length: replicas }, () => version)].join(' '))

/** Ids of rollouts in the order they started. */
const rolled = (ran: readonly string[]) => ran.filter((id) => id.startsWith('rollout:'))

test('a first deploy: the store before those that need it, and the canary alone before the other hosts', async () => {
  const { code, stdout, stderr, ran } = await fleet.deploy()
  assert.is(code, 0, stderr + stdout)
  const order = rolled(ran)
  assert.equal(order.slice(0, 2), ['rollout:store@node-3', 'rollout:app@node-1'])
  assert.equal(order.slice(2).sort(), ['rollout:app@node-2', 'rollout:app@node-3'])
  assert.equal(fleet.versions(), all('1'))
})

test('a store on another host is found by its variables and by its name; its port is bound to the private address alone', () => {
  const { address } = fleet.hostOf('node-3')
  const app = fleet.everywhere().find(({ host, service }) => host === 'node-1' && service === 'app')
  const inApp = (...argv: string[]) => fleet.on('node-1', 'docker', 'exec', app?.id ?? '', ...argv).trim()
  assert.is(inApp('sh', '-c', 'echo $STORE'), `${address}:7000`)
  inApp('wget', '-q', '-O', '/dev/null', 'http://store:7000/bin/busybox')
  assert.match(fleet.on('node-3', 'docker', 'ps', '--format', '{{.Ports}}'), new RegExp(`^${address}:7000->7000/tcp$`, 'm'))
})

test('again there is nothing to do; replicas go 2, 1, 3 on every host', async () => {
  assert.equal((await fleet.deploy()).ran, [])
  for (const replicas of [1, 3]) {
    fleet.edit('stagecraft.yml', (text) => text.replace(/replicas: \d/, `replicas: ${replicas}`))
    const { code, stderr, stdout } = await fleet.deploy()
    assert.is(code, 0, stderr + stdout)
    assert.equal(fleet.versions(), all('1', replicas))
  }
  fleet.edit('stagecraft.yml', (text) => text.replace(/replicas: \d/, 'replicas: 2'))
  assert.is((await fleet.deploy()).code, 0)
})

test('broken on the second host: all hosts go back to what they ran, exit 2, and the release says so', async () => {
  fleet.release('2')
  fleet.breakOn('node-2', '2')
  const before = fleet
    .everywhere()
    .map(({ id }) => id)
    .sort()
  const { code, stderr, stdout } = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(code, 2, stderr + stdout)
  assert.match(stdout + stderr, /cannot serve 2 here/)
  assert.match(stderr, /app on node-1 runs again what it ran before/)
  assert.match(stderr, /node-1, node-2, node-3 run what they ran before/)
  assert.equal(fleet.versions(), all('1'))
  assert.equal(
    fleet
      .everywhere()
      .map(({ id }) => id)
      .sort(),
    before,
    'the very containers',
  )
  const { releases } = JSON.parse((await fleet.run(['releases', 'list', '--format', 'json'])).stdout) as {
    releases: { status: string; undone?: string }[]
  }
  assert.equal([releases[0]?.status, releases[0]?.undone], ['failed', 'whole'])
  const current = fleet.on('node-1', 'readlink', `${fleet.remoteDirectory}/current`)
  assert.match(fleet.on('node-1', 'cat', `${fleet.remoteDirectory}/${current.trim()}/docker-compose.yml`), /services:/)
})

test('plan shows the way back beforehand', async () => {
  const { stdout, code } = await fleet.run(['plan', '--env', 'prod'])
  assert.is(code, 0)
  assert.match(stdout, /on failure: hosts swapped in this run go back to what they ran before/)
})

for (const fault of ['before-undo rollout:app@node-1', 'after-undo rollout:app@node-1']) {
  test(`killed at ${fault}: the next plain deploy converges`, async () => {
    const killed = await fleet.deploy([], { unbundled: true, env: { STAGECRAFT_FAULT: fault } })
    assert.is(killed.signal, 'SIGKILL', killed.stderr + killed.stdout)
    fleet.mend('node-2', '2')
    const { code, stderr, stdout } = await fleet.deploy()
    assert.is(code, 0, stderr + stdout)
    assert.equal(fleet.versions(), all('2'))
    assert.equal((await fleet.deploy()).ran, [])
    fleet.release('1')
    assert.is((await fleet.deploy()).code, 0)
    fleet.release('2')
    fleet.breakOn('node-2', '2')
  })
}

test('on_failure hold: what was swapped stays, nothing more starts, exit 10', async () => {
  fleet.configure({ rollout: '{ on_failure: hold, batch: 1 }' })
  const { code, stderr, stdout } = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(code, 10, stderr + stdout)
  assert.equal(fleet.versions(), ['node-1 2 2 exited exited', 'node-2 1 1', 'node-3 1 1'])
  assert.match(stderr, /node-1 runs the new app/)
  assert.match(stderr, /node-2, node-3 run what they ran before/)
})

test('on_failure continue: the other hosts go on, exit 10', async () => {
  fleet.configure({ rollout: '{ on_failure: continue, batch: 1 }' })
  const { code, stderr, stdout } = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(code, 10, stderr + stdout)
  assert.equal(fleet.versions(), ['node-1 2 2 exited exited', 'node-2 1 1', 'node-3 2 2 exited exited'])
  fleet.mend('node-2', '2')
  const mended = await fleet.deploy()
  assert.is(mended.code, 0, mended.stderr)
  assert.equal(rolled(mended.ran), ['rollout:app@node-2'], 'finished hosts are not rolled again')
  assert.equal(fleet.versions(), all('2'))
})

test('a part of the fleet: only that is rolled, and it is no release to go back to', async () => {
  fleet.configure()
  fleet.release('3')
  const { code, stderr, stdout } = await fleet.run(['deploy', '--env', 'prod', '--host', 'node-2'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(fleet.versions(), ['node-1 2 2', 'node-2 3 3', 'node-3 2 2'])
  const { releases } = JSON.parse((await fleet.run(['releases', 'list', '--format', 'json'])).stdout) as {
    releases: { partial?: boolean }[]
  }
  assert.is(releases[0]?.partial, true)
  const rest = await fleet.deploy()
  assert.equal(rolled(rest.ran), ['rollout:app@node-1', 'rollout:app@node-3'])
})

test('a service that moves serves in its new place before the old one goes', async () => {
  fleet.configure({ store: 'node-2' })
  const { code, stderr, stdout } = await fleet.deploy()
  assert.is(code, 0, stderr + stdout)
  assert.equal(
    fleet
      .everywhere()
      .filter(({ service }) => service === 'store')
      .map(({ host, state }) => `${host} ${state}`),
    ['node-2 running'],
  )
})

test('a host that does not answer is found before anything is touched; allowed, the others are deployed and the exit code is 10', async () => {
  fleet.configure()
  const dead = '      - { name: node-4, address: 10.87.77.99, user: deploy, roles: [app] }\n'
  fleet.edit('stagecraft.yml', (text) => text.replace('    env_file', `${dead}    env_file`))
  fleet.release('4')
  for (const command of ['plan', 'deploy']) {
    const { code, stdout, stderr } = await fleet.run([command, '--env', 'prod'])
    assert.is(code, 2)
    assert.match(stdout + stderr, /no connection to node-4/)
  }
  assert.equal(fleet.versions(), all('3'))
  const { code, stderr, stdout } = await fleet.run(['deploy', '--env', 'prod', '--allow-unreachable'])
  assert.is(code, 10, stderr + stdout)
  assert.match(stderr, /without node-4: no answer/)
  assert.not.match(stderr, /MaxListeners/)
  assert.equal(fleet.versions(), all('4'))
})

suite.run()
