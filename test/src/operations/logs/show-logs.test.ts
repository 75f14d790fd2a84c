import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { follow } from '../../../../src/operations/logs/follow.ts'
import { outputWindow } from '../../../../src/operations/logs/output-window.ts'
import { type LogsOptions, showLogs } from '../../../../src/operations/logs/show-logs.ts'
import { checkedValue } from '../../../../src/session/checked-value.ts'
import { TaskFailure } from '../../../../tasks/kind.ts'
import { rejects, within } from '../../../support/assertions.ts'
import { type FakeFleet, withFakeFleet } from '../../../support/fake-fleet.ts'
import { eventually } from '../../../support/processes.ts'

const test = suite('src/operations/logs/show-logs')

const at = (second: number, nanosecond = 0) => `2026-01-09T00:00:${String(second).padStart(2, '0')}.${String(nanosecond).padStart(9, '0')}Z`
const options = (change: Partial<LogsOptions> = {}, words: Parameters<typeof outputWindow>[0] = {}): LogsOptions => ({
  ...{ window: checkedValue(outputWindow(words, new Date(0))), follow: false, timestamps: false, prefix: true, format: 'text' },
  ...change,
})
const show = (fake: FakeFleet, change?: Partial<LogsOptions>, words?: Parameters<typeof outputWindow>[0]) =>
  showLogs(fake.fleet, options(change, words), fake.globals, fake.app)

function speakers({ hosts }: FakeFleet): void {
  hosts['node-1'].engine.add({ name: 'shop-prod-api-1', service: 'api' })
  hosts['node-1'].engine.add({ name: 'shop-prod-db-1', service: 'db' })
  hosts['node-2'].engine.add({ name: 'shop-prod-api-1', service: 'api' })
  hosts['node-1'].engine.say('shop-prod-api-1', at(1), 'first')
  hosts['node-2'].engine.say('shop-prod-api-1', at(2), 'second, with a-secret-token')
  hosts['node-1'].engine.say('shop-prod-db-1', at(3), 'third', 'stderr')
  hosts['node-1'].engine.say('shop-prod-api-1', at(4), 'fourth')
}

test('all hosts are one stream, in order, and no secret is in it', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    assert.is(await show(fake), 0)
    assert.equal(fake.stdout.text.split('\n'), [
      'node-1/api-1 │ first',
      'node-2/api-1 │ second, with ***',
      'node-1/db-1  │ third',
      'node-1/api-1 │ fourth',
      '',
    ])
    for (const host of Object.values(fake.hosts))
      assert.equal(
        host.writes().filter((call) => !call.startsWith('output')),
        [],
      )
  }))

test('one container needs no prefix, and a selection asks no other', () =>
  withFakeFleet({ selection: { service: ['db'] }, placed: true }, async (fake) => {
    speakers(fake)
    assert.is(await show(fake), 0)
    assert.is(fake.stdout.text, 'third\n')
    assert.equal(fake.hosts['node-2'].calls, [])
  }))

test('only lines that match are shown', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    await show(fake, { prefix: false }, { grep: '/^f/' })
    assert.is(fake.stdout.text, 'first\nfourth\n')
  }))

test('a host that does not answer is a warning and exit code 10, none that does exit code 2', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    fake.hosts['node-2'].dieAfter(0)
    assert.is(await show(fake), 10)
    assert.match(fake.stdout.text, 'fourth')
    assert.match(fake.stderr.text, /^warning: node-2: node-2: connection lost/)
    fake.hosts['node-1'].dieAfter(0)
    fake.hosts['node-1'].changed()
    assert.is(await show(fake), 2)
  }))

test('output that cannot be had is a warning, and the other containers go on', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    fake.hosts['node-1'].failOn(/^output id-shop-prod-db-1/)
    assert.is(await show(fake, { prefix: false }), 10)
    assert.is(fake.stdout.text, 'first\nsecond, with ***\nfourth\n')
  }))

test('no container at all is a failure that says where nothing is', () =>
  withFakeFleet({ selection: { service: ['db'] }, placed: true }, async (fake) => {
    const error = await rejects(show(fake), /no container of db is on node-1/)
    assert.instance(error, TaskFailure)
  }))

test('an environment file that is not here is warned of: its values cannot be hidden', () =>
  withFakeFleet(
    {
      files: {
        'stagecraft.yml':
          'project: { name: shop }\nenvironments:\n  prod: { hosts: [{ name: node-1, address: a }], env_file: .env.none }\n',
      },
    },
    async (fake) => {
      fake.hosts['node-1'].engine.add({ name: 'shop-prod-api-1', service: 'api' })
      await show(fake)
      assert.match(fake.stderr.text, /\.env\.none is not on this machine/)
    },
  ))

test('a reader that leaves ends it quietly', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    const ended = show(fake, { follow: true })
    fake.stdout.destroy()
    assert.is(await within(5_000, ended), 0)
  }))

// --- following ---------------------------------------------------------------------------------------------------------

const followed = (fake: FakeFleet, words: Parameters<typeof outputWindow>[0] = {}) => show(fake, { follow: true }, words)

test('lines said from now on are shown once, until it is interrupted, which is no failure', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    const ended = followed(fake)
    await eventually(
      () =>
        fake.hosts['node-2'].calls.some((call) => call.includes('follow')) &&
        fake.hosts['node-1'].calls.filter((call) => call.includes('follow')).length === 2,
    )
    fake.hosts['node-2'].engine.say('shop-prod-api-1', at(6), 'live')
    // The same moment as the last line that was read.
    fake.hosts['node-1'].engine.say('shop-prod-api-1', at(4), 'twin')
    await eventually(() => /live/.test(fake.stdout.text) && /twin/.test(fake.stdout.text))
    fake.interrupt()
    assert.is(await within(5_000, ended), 0)
    assert.equal(fake.stdout.text.match(/fourth|twin|live|first/g)?.sort(), ['first', 'fourth', 'live', 'twin'])
    for (const host of Object.values(fake.hosts)) assert.is(host.engine.subscriptions, 0)
  }))

test('a container that replaces another is heard from its first line, and told of', () =>
  withFakeFleet({}, async (fake) => {
    speakers(fake)
    const { engine } = fake.hosts['node-1']
    const ended = followed(fake, { tail: '0' })
    await eventually(() => fake.hosts['node-1'].calls.filter((call) => call.includes('follow')).length === 2)
    engine.add({ name: 'shop-prod-api-2', service: 'api', state: 'created' })
    engine.say('shop-prod-api-2', at(5), 'born')
    await engine.start('shop-prod-api-2')
    await eventually(() => /api-2 │ born/.test(fake.stdout.text))
    await engine.stop('shop-prod-api-1', 1)
    await eventually(() => /ended/.test(fake.stderr.text))
    fake.interrupt()
    assert.is(await within(5_000, ended), 0)
    assert.is(fake.stderr.text, 'node-1/api-2 started\nnode-1/api-1 ended with code 0\n')
    assert.not.match(fake.stdout.text, 'first')
  }))

test('a container that starts again goes on where it was', () =>
  withFakeFleet({ selection: { service: ['db'] }, placed: true }, async (fake) => {
    speakers(fake)
    const { engine } = fake.hosts['node-1']
    const ended = followed(fake)
    await eventually(() => fake.hosts['node-1'].calls.some((call) => call.includes('follow')))
    await engine.stop('shop-prod-db-1', 1)
    engine.say('shop-prod-db-1', at(7), 'again')
    await engine.start('shop-prod-db-1')
    await eventually(() => /again/.test(fake.stdout.text))
    fake.interrupt()
    assert.is(await within(5_000, ended), 0)
    assert.equal(fake.stdout.text, 'node-1/db-1 │ third\nnode-1/db-1 │ again\n')
    assert.match(fake.stderr.text, /db-1 ended with code 0\nnode-1\/db-1 started again\n/)
  }))

test('a host whose connection is lost is dialed again, and nothing is shown twice or left out', () =>
  withFakeFleet({ selection: { host: ['node-1'] } }, async (fake) => {
    speakers(fake)
    const { engine } = fake.hosts['node-1']
    const lines: string[] = []
    const said: string[] = []
    const ended = follow(fake.fleet, {
      request: {},
      signal: fake.app.signal,
      positions: new Map(),
      take: async (taken) => void lines.push(...taken.map(({ text }) => text)),
      say: (text) => said.push(text),
      pausesMs: [1],
    })
    await eventually(() => lines.length === 3)
    engine.disconnect(() => engine.say('shop-prod-api-1', at(9), 'unheard'))
    await eventually(() => lines.includes('unheard'))
    fake.interrupt()
    await within(5_000, ended)
    assert.equal(lines.sort(), ['first', 'fourth', 'third', 'unheard'])
    assert.equal(fake.redialed, ['node-1'])
    assert.equal(said, ['node-1: the Engine stopped telling what happens; trying again until it answers', 'node-1: listening again'])
  }))

test.run()
