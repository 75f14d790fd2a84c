/** Who deploys when several want to: one at a time, the others refused or waiting, a holder that fell asleep kept from writing, whatever clocks say. */
import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { BusyboxProject, type BusyboxRun } from '../support/busybox-project.ts'
import { labSuite } from '../support/lab-suite.ts'
import { eventually } from '../support/processes.ts'
import { ranTasks } from '../support/shop.ts'

const suite = await labSuite('e2e/locks', 2)
const { test } = suite
const projects: BusyboxProject[] = []
test.after(() => {
  for (const project of projects) project.remove()
})

/** Serves after `seconds`, so that there is time to meddle. */
function service(image: string, version: string, seconds: number): string {
  return `  web:
    image: ${image}
    command: [sh, -c, "sleep ${seconds}; touch /ready; exec sleep 1000000"]
    environment: { VERSION: "${version}" }
    restart: unless-stopped
    stop_grace_period: 1s
    healthcheck: { test: [CMD, test, -e, /ready], interval: 1s, retries: 100 }`
}

/** A project whose own folder and one more checkout want different versions of it. */
function rivals(mine: string, theirs: string, seconds: number): { readonly project: BusyboxProject; readonly other: string } {
  const project = new BusyboxProject(suite.lab())
  projects.push(project)
  project.write(service(project.image, theirs, 1), '{ web: { role: app } }')
  const other = project.checkout()
  project.write(service(project.image, mine, seconds), '{ web: { role: app } }')
  return { project, other }
}

const deploy = (project: BusyboxProject, version: string, options: BusyboxRun = {}, ...args: string[]) =>
  project.run(['run', 'deploy', '--env', 'prod', '--version', version, '--format', 'json', ...args], options)
/** `deploy` itself has flags that `run` has not. */
const waiting = (project: BusyboxProject, version: string, wait: string, options: BusyboxRun = {}) =>
  project.run(['deploy', '--env', 'prod', '--version', version, '--format', 'json', wait], options)

/** Versions that run, by host; more than one container of the service is told. */
function versions(project: BusyboxProject): readonly string[] {
  return [0, 1].map((index) => {
    const ids = project
      .onHost(index, 'docker', 'ps', '-q', '--filter', `label=stagecraft.project=${project.name}`)
      .split('\n')
      .filter(Boolean)
    return ids.map((id) => /VERSION=(\w+)/.exec(project.onHost(index, 'docker', 'inspect', '-f', '{{.Config.Env}}', id))?.[1]).join(' ')
  })
}
function containers(project: BusyboxProject): readonly string[] {
  return [0, 1].map((index) =>
    project.onHost(index, 'docker', 'ps', '-aq', '--no-trunc', '--filter', `label=stagecraft.project=${project.name}`),
  )
}
function leftLocks(project: BusyboxProject): readonly string[] {
  return [0, 1].flatMap((index) =>
    project
      .onHost(index, 'find', `/opt/stagecraft/${project.name}`, '-name', 'lock*', '-o', '-name', '*.tmp', '-o', '-name', '.incoming*')
      .split('\n')
      .filter(Boolean),
  )
}

/** Another machine, as far as a lock can tell: whether its process lives cannot be seen from here. */
const elsewhere = ['unshare', '--uts', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh']

/** What a process believes of the time when the clock of its machine is wrong; what files and hosts say is untouched. */
function clock(offMinutes: number): Readonly<Record<string, string>> {
  const shifted = `const R=Date,o=${offMinutes}*60000;globalThis.Date=class extends R{constructor(...a){if(a.length)super(...a);else super(R.now()+o)}static now(){return R.now()+o}}`
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(shifted)}` }
}

/** Resolves once a run has begun to roll `web` on a host. */
function rolling(task = 'rollout:web@node-1') {
  let child: ChildProcess | undefined
  let text = ''
  return {
    onSpawn(spawned: ChildProcess) {
      child = spawned
      spawned.stdout?.on('data', (chunk: string) => {
        text += chunk
      })
    },
    begun: () => eventually(() => ranTasks(text.slice(0, text.lastIndexOf('\n'))).includes(task), 60_000),
    kill: (signal: NodeJS.Signals) => child?.kill(signal),
  }
}

test('two checkouts at once: one wins whole on every host, the other is told by whom, and wins when it asks to wait', async () => {
  const { project, other } = rivals('a', 'b', 4)
  const first = rolling()
  const winner = deploy(project, 'a', first)
  await first.begun()
  const refused = await deploy(project, 'b', { cwd: other })
  assert.is(refused.code, 2, refused.stderr)
  assert.match(refused.stdout + refused.stderr, /prod on node-1 is locked by \S+@\S+ pid \d+ since .*; its last sign of life was \d+ s ago/)
  const impatient = await waiting(project, 'b', '--wait=1s', { cwd: other })
  assert.is(impatient.code, 2)
  assert.match(impatient.stderr, /is locked by .*; waited 1 s for it/)
  const patient = await waiting(project, 'b', '--wait', { cwd: other })
  assert.is(patient.code, 0, patient.stderr)
  assert.match(patient.stderr, /^waiting for the lock: .*prod on node-1 is locked by \S+@\S+ pid \d+ since /m)
  const won = await winner
  assert.is(won.code, 0, won.stderr)
  assert.equal(versions(project), ['b', 'b'])
  assert.equal(leftLocks(project), [])
})

test('who waited decides afterwards what is to do: of the same version, nothing', async () => {
  const { project } = rivals('a', 'b', 4)
  const other = project.checkout()
  const first = rolling()
  const winner = deploy(project, 'a', first)
  await first.begun()
  const second = await waiting(project, 'a', '--wait=60s', { cwd: other })
  assert.is((await winner).code, 0)
  assert.is(second.code, 0, second.stderr)
  assert.match(second.stderr, /^waiting for the lock: /m)
  // What is rendered stays on this machine.
  const touched = ranTasks(second.stdout).filter((id) => !id.startsWith('render:'))
  assert.equal(touched, [], 'planned after the wait')
  assert.equal(versions(project), ['a', 'a'])
  assert.equal(leftLocks(project), [])
})

test('Ctrl-C ends the wait with 130, and leaves the holder alone', async () => {
  const { project, other } = rivals('a', 'b', 4)
  const first = rolling()
  const winner = deploy(project, 'a', first)
  await first.begun()
  const second = await waiting(project, 'b', '--wait', {
    cwd: other,
    onSpawn: (child) => child.stderr?.on('data', (text: string) => text.includes('waiting for the lock') && child.kill('SIGINT')),
  })
  assert.is(second.code, 130, second.stderr)
  assert.is((await winner).code, 0)
  assert.equal(versions(project), ['a', 'a'])
})

for (const [holder, taker] of [
  [10, -10],
  [-10, 10],
] as const) {
  test(`a holder that is stopped loses its lease to who waits, and writes nothing when it wakes up: clocks off by ${holder} and ${taker} minutes`, async () => {
    const { project, other } = rivals('a', 'b', 8)
    const first = rolling()
    const asleep = deploy(project, 'a', { onSpawn: first.onSpawn, under: elsewhere, env: clock(holder), timeoutMs: 180_000 })
    await first.begun()
    const alive = await deploy(project, 'b', { cwd: other, env: clock(taker) })
    assert.is(alive.code, 2, 'a living holder keeps it')
    first.kill('SIGSTOP')
    const began = performance.now()
    const taken = await waiting(project, 'b', '--wait=90s', { cwd: other, env: clock(taker) })
    const tookMs = performance.now() - began
    assert.is(taken.code, 0, taken.stderr)
    assert.ok(tookMs > 18_000 && tookMs < 60_000, `taken over by the host's clock alone: ${tookMs} ms`)
    assert.equal(versions(project), ['b', 'b'])
    const before = containers(project)
    first.kill('SIGCONT')
    const woken = await asleep
    assert.is(woken.code, 2, woken.stderr)
    assert.match(woken.stdout + woken.stderr, /lost \S+lock on node-1: .*(it is gone|has it now)/)
    assert.equal(containers(project), before, 'it changed nothing')
    assert.equal(leftLocks(project), [])
    const again = await deploy(project, 'b', { cwd: other })
    assert.equal([again.code, ranTasks(again.stdout)], [0, []], again.stderr)
  })
}

test('a release from a clock that runs ahead is not newer than what is deployed after it', async () => {
  const { project, other } = rivals('a', 'b', 1)
  // Building begins the release before the lock brings what others did.
  for (const [folder, version] of [
    [project.directory, 'a'],
    [other, 'b'],
  ] as const) {
    const file = join(folder, 'docker-compose.yml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(`image: ${project.image}`, 'build: .'))
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${project.image}\nRUN echo ${project.name} ${version} > /version\n`)
  }
  const first = await deploy(project, 'a', { env: clock(10) })
  assert.is(first.code, 0, first.stderr)
  const second = await deploy(project, 'b', { cwd: other })
  assert.is(second.code, 0, second.stderr)
  const list = await project.run(['releases', 'list', '--format', 'json'], { cwd: other })
  const { releases } = JSON.parse(list.stdout) as { releases: readonly { id: string; version: string; timestamp: string }[] }
  assert.equal(
    releases.map(({ version }) => version),
    ['b', 'a'],
    list.stdout,
  )
  const status = await project.run(['status', '--env', 'prod'], { cwd: other })
  assert.match(status.stdout, /^prod b · /, status.stdout + status.stderr)
  // A rollback takes images back, and the manifest and Compose file as they are here.
  const back = await project.run(['rollback', '--env', 'prod', '--to-previous', '--yes'], { cwd: other })
  assert.is(back.code, 0, back.stderr)
  assert.match((await project.run(['status', '--env', 'prod'], { cwd: other })).stdout, /^prod a · /)
})

suite.run()
