import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exitCodeOf } from '../../../src/operations/fleet.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects } from '../../support/assertions.ts'
import { withFakeFleet } from '../../support/fake-fleet.ts'

const test = suite('src/operations/fleet')

const unreachable = (name: string) => new TaskFailure({ reason: 'unreachable', subject: name, message: `no answer from ${name}` })
const ok = { name: 'a', ok: true, value: 1 } as const
const failed = { name: 'b', ok: false, failure: unreachable('b').failure } as const

for (const [answers, code] of [
  [[ok, ok], 0],
  [[ok, failed], 10],
  [[failed, failed], 2],
] as const) {
  test(`${answers.filter((answer) => answer.ok).length} of ${answers.length} answers is exit code ${code}`, () => {
    assert.is(exitCodeOf(answers), code)
  })
}

test('every host is asked, answers come in the order of names, and a host that fails is one of them', () =>
  withFakeFleet({}, async ({ fleet }) => {
    const answers = await fleet.ask(async (host, { roles }) => {
      if (host.name === 'node-1') throw unreachable(host.name)
      return roles.join()
    })
    assert.equal(answers, [
      { name: 'node-1', ok: false, failure: unreachable('node-1').failure },
      { name: 'node-2', ok: true, value: 'app' },
    ])
  }))

test('a bug is no answer of a host', () =>
  withFakeFleet({}, async ({ fleet }) => {
    await rejects(
      fleet.ask(() => Promise.reject(new TypeError('ours'))),
      /ours/,
    )
  }))

test('the only environment that has hosts is meant, and of several one must be named', async () => {
  const one = 'environments:\n  dev: { driver: local }\n  prod: { hosts: [a@203.0.113.1] }\n'
  const compose = 'services: { api: { image: a:1 } }\n'
  await withFakeFleet(
    { files: { 'stagecraft.yml': `project: { name: shop }\n${one}`, 'docker-compose.yml': compose } },
    async ({ fleet }) => {
      assert.is(fleet.deployment.environment, 'prod')
    },
  )
  const two = `project: { name: shop }\n${one}  test: { hosts: [a@203.0.113.2] }\n`
  await rejects(
    withFakeFleet({ files: { 'stagecraft.yml': two, 'docker-compose.yml': compose } }, async () => {}),
    /no environment given: add `--env` with one of `dev`, `prod`, `test`/,
  )
})

test('a host that is dialed again gets a new connection, and the old one is closed', () =>
  withFakeFleet({}, async ({ fleet, redialed }) => {
    fleet.host('node-1')
    await fleet.redial('node-1')
    assert.equal(redialed, ['node-1'])
    assert.is(fleet.host('node-1').name, 'node-1')
  }))

test.run()
