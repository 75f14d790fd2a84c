/** A run that is killed leaves word on its hosts: the next one knows where it ended, and takes back what it swapped when it fails itself. */
import * as assert from 'uvu/assert'
import { Fleet } from '../support/fleet.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/journal', 3)
const { test } = suite
let fleet: Fleet

const hosts = ['node-1', 'node-2', 'node-3']
const everywhere = (version: string) => hosts.map((host) => `${host} ${version} ${version}`)
const journal = (host: string) => fleet.on(host, 'cat', `/opt/stagecraft/${fleet.name}/prod/journal.ndjson`)
const journalLines = (host: string) =>
  journal(host)
    .split('\n')
    .filter((line) => line !== '')
const events = (host: string) => journalLines(host).map((line) => String((JSON.parse(line) as { event: string }).event))
const append = (host: string, text: string) =>
  fleet.on(host, 'sh', '-c', 'printf %s "$1" >> "$0"', `/opt/stagecraft/${fleet.name}/prod/journal.ndjson`, text)
const killed = async (version: string, at: string) => {
  fleet.release(version)
  const { signal, stdout, stderr } = await fleet.deploy(['--version', `v${version}`], { unbundled: true, env: { STAGECRAFT_FAULT: at } })
  assert.is(signal, 'SIGKILL', stdout + stderr)
}
/** A version that works nowhere. */
const broken = async (version: string) => {
  for (const host of hosts) fleet.breakOn(host, version)
  fleet.release(version)
  return fleet.deploy(['--version', `v${version}`])
}

test.before(async () => {
  fleet = new Fleet(suite.lab())
  fleet.configure({ rollout: '{ timeout_seconds: 20 }' })
  const { code, stdout, stderr } = await fleet.deploy(['--version', 'v1'])
  assert.is(code, 0, stderr + stdout)
})
test.after(() => fleet.remove())

test('a deploy that ends well leaves one line on each host', () => {
  for (const host of hosts) assert.equal(events(host), ['ended'])
})

test('killed after the first of three hosts: plan and status tell who and where', async () => {
  await killed('2', 'after-task rollout:app@node-1')
  assert.equal(fleet.versions(), ['node-1 2 2 exited exited', 'node-2 1 1', 'node-3 1 1'])
  assert.match(fleet.versions()[0] ?? '', /node-1/)
  const words = /the deploy of \S+@\S+ at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC ended (at|after) rollout:app@node-\d/
  const { stdout: plan } = await fleet.run(['plan', '--env', 'prod', '--version', 'v2'])
  assert.match(plan, words)
  // Its process is gone, which only this machine can know before the lease is over.
  assert.is((await fleet.run(['releases', 'unlock', '--env', 'prod', '--yes'])).code, 0)
  const { stdout: status } = await fleet.run(['status', '--env', 'prod'])
  assert.match(status, words)
  const { stdout: json } = await fleet.run(['status', '--env', 'prod', '--format', 'json'])
  const { interrupted } = JSON.parse(json) as { interrupted: { who: string; task: string; release: string } }
  assert.match(interrupted.task, /^rollout:app@node-\d$/)
  const { stdout: shown } = await fleet.run(['releases', 'show', interrupted.release])
  assert.match(shown, /Status: +failed/)
  assert.match(shown, /rollout +failed \(crashed\)/)
})

test('the next deploy is broken: every host is back at what ran before the first run', async () => {
  const { code, stdout, stderr } = await broken('3')
  assert.is(code, 2, stderr + stdout)
  assert.match(stderr, /the deploy of \S+ at .* UTC ended (at|after) rollout:app@node-\d; going on from there/)
  assert.equal(
    fleet.versions().map((line) => line.replaceAll(' exited', '')),
    everywhere('1'),
  )
  const { stdout: status } = await fleet.run(['status', '--env', 'prod'])
  assert.not.match(status, /UTC ended/)
  for (const host of hosts) assert.equal(events(host), ['ended'], journal(host))
})

test('killed, and then a good deploy: it converges, and the journal is one line again', async () => {
  await killed('4', 'task-made rollout:app@node-1')
  fleet.release('5')
  const { code, stdout, stderr } = await fleet.deploy(['--version', 'v5'])
  assert.is(code, 0, stderr + stdout)
  // The line of the task itself may have died with the run: it is on its way before the first effect is, which never left.
  assert.match(stderr, /UTC ended ((at|after) \S+:\S+|before it changed anything); going on from there/)
  assert.equal(fleet.versions(), everywhere('5'))
  for (const host of hosts) assert.equal(events(host), ['ended'])
})

test('a line that broke off is passed over: what came before it holds', async () => {
  await killed('6', 'after-task rollout:app@node-1')
  append('node-1', '{"v":1,"run":"x","n":7,"ev')
  const { code, stdout, stderr } = await broken('7')
  assert.is(code, 2, stderr + stdout)
  assert.not.match(stderr, /cannot be read/)
  assert.equal(
    fleet.versions().map((line) => line.replaceAll(' exited', '')),
    everywhere('5'),
  )
})

test('a journal that somebody wrote into is told and put aside, and the deploy goes on without it', async () => {
  append('node-2', '\nsome words of a person\n')
  fleet.release('8')
  const { code, stdout, stderr } = await fleet.deploy(['--version', 'v8'])
  assert.is(code, 0, stderr + stdout)
  assert.match(stderr, /node-2:\S+journal\.ndjson cannot be read: line \d+: it is no line of a journal/)
  assert.match(fleet.on('node-2', 'cat', `/opt/stagecraft/${fleet.name}/prod/journal.ndjson.damaged`), /words of a person/)
  assert.equal(fleet.versions(), everywhere('8'))
  for (const host of hosts) assert.equal(events(host), ['ended'])
})

test('nothing to do leaves the journal as it is', async () => {
  const before = hosts.map(journal)
  const { code, stderr, ran } = await fleet.deploy(['--version', 'v8'])
  assert.is(code, 0, stderr)
  assert.equal(ran, [])
  assert.equal(hosts.map(journal), before)
})

suite.run()
