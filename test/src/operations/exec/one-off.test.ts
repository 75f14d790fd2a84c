import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isAbandoned, oneOffCommand } from '../../../../src/operations/exec/one-off.ts'
import { thisProcess } from '../../../../src/releases/process-identity.ts'

const test = suite('src/operations/exec/one-off')
const run = {
  project: 'shop',
  environment: 'prod',
  composeProject: 'shop-prod',
  composeFile: '/opt/current/docker-compose.yml',
  owner: '{}',
}
const plain = { service: 'web', argv: ['echo', '$(id)', "it's; reboot"], input: false, terminal: false }

test('words reach Compose as they are, after the service', () => {
  assert.equal(oneOffCommand(run, plain).slice(-4), ['web', 'echo', '$(id)', "it's; reboot"])
})

test('nobody takes it for one of the service’s own containers', () => {
  const words = oneOffCommand(run, plain)
  for (const label of ['stagecraft.project=', 'stagecraft.env=', 'stagecraft.service=', 'stagecraft.hash=', 'stagecraft.one-off=shop/prod'])
    assert.is(words[words.indexOf(label) - 1], '--label', label)
  assert.ok(words.includes('--rm') && words.includes('--no-deps'))
})

test('streams, user and folder are asked for only when they are wanted', () => {
  const words = (more: object) => oneOffCommand(run, { ...plain, ...more }).join(' ')
  assert.match(words({}), '--no-TTY --interactive=false web')
  assert.match(words({ input: true }), '--no-TTY web')
  assert.match(words({ input: true, terminal: true, user: 'nobody', directory: '/a b' }), '--user nobody --workdir /a b web')
})

test('what a living process, another machine or nobody known runs is left alone', () => {
  const mine = thisProcess()
  assert.not(isAbandoned(JSON.stringify(mine)))
  assert.not(isAbandoned(JSON.stringify({ ...mine, host: `${mine.host}-other`, pid: 1 })))
  for (const owner of [undefined, '', 'null', '{}', '[1]']) assert.not(isAbandoned(owner), String(owner))
  assert.ok(isAbandoned(JSON.stringify({ ...mine, start: `${mine.start}1` })))
})

test.run()
