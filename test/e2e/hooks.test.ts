/** Hooks on real hosts: when they run and when not, in which order, where, and what a failing one leaves behind. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { Fleet } from '../support/fleet.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/hooks', 3)
const { test } = suite
let fleet: Fleet

const stagecraft = join(dirname(fileURLToPath(import.meta.url)), '../../../bin/stagecraft.js')
const note = (text: string) => `echo "${text}" >> hooks.log`

/** A manifest with hooks: YAML below `hooks`, by point. */
function withHooks(hooks: Readonly<Record<string, string>>, rollout = '{}'): void {
  const lines = Object.entries(hooks).map(([point, hook]) => `  ${JSON.stringify(point)}: ${hook}\n`)
  fleet.configure({ services: `hooks:\n${lines.join('')}`, rollout })
}

/** What hooks noted since the last time. */
function noted(): readonly string[] {
  const path = fleet.path('hooks.log')
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  rmSync(path)
  return lines
}

test.before(() => {
  fleet = new Fleet(suite.lab())
  fleet.write('.gitignore', `${fleet.read('.gitignore')}\nhooks.log\n`)
})
test.after(() => fleet.remove())

const all = (version: string) => ['node-1', 'node-2', 'node-3'].map((host) => `${host} ${version} ${version}`)

test('a deploy runs its hooks in order, on this machine and in a container of the new image, and tells them where it stands', async () => {
  withHooks({
    before_deploy: JSON.stringify(note('deploy $STAGECRAFT_PROJECT $STAGECRAFT_ENV $STAGECRAFT_HOSTS $STAGECRAFT_STATUS')),
    'before_build:app': JSON.stringify(note('build $STAGECRAFT_PHASE')),
    before_rollout: `{command: [sh, -c, 'echo "in $STAGECRAFT_PHASE of $(cat /www/version) with \${#SECRET} and $SECRET"'], on: app}`,
    after_rollout: `{command: ${JSON.stringify(`${note('rolled $NAMED ${UNNAMED:-withheld} ${#SECRET}')}; echo got $SECRET`)}, env: [NAMED], secrets: [SECRET]}`,
    after_finalize: JSON.stringify(`${note('done $STAGECRAFT_STATUS $STAGECRAFT_RUN_URL')}; test -n "$STAGECRAFT_RELEASE_ID"`),
    after_failure: JSON.stringify(note('failed')),
  })
  const env = { NAMED: 'named', UNNAMED: 'unnamed', CI_PIPELINE_URL: 'https://ci.example/7' }
  const { code, stdout, stderr } = await fleet.run(['deploy', '--env', 'prod', '--verbose'], { env })
  assert.is(code, 0, stderr + stdout)
  assert.equal(noted(), [
    `deploy ${fleet.name} prod node-1 node-2 node-3 running`,
    'build build',
    'rolled named withheld 5',
    'done succeeded https://ci.example/7',
  ])
  assert.match(stdout + stderr, /got \*\*\*/)
  assert.not.match(stdout + stderr, /shush/)
  assert.match(stdout + stderr, /in rollout of 1 with 5 and \*\*\*/)
  const left = fleet.on('node-1', 'docker', 'ps', '--all', '--format', '{{.Names}}')
  assert.not.match(left, /hook-before_rollout/)
  assert.equal(fleet.versions(), all('1'))
})

test('with nothing to do no hook runs, and plan says so; a run of less than a deploy does not announce one', async () => {
  const again = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(again.code, 0, again.stderr)
  assert.equal(noted(), [])
  const plan = JSON.parse((await fleet.run(['plan', '--env', 'prod', '--format', 'json'])).stdout) as {
    tasks: { id: string; state: string }[]
  }
  const hooks = plan.tasks.filter(({ id }) => id.startsWith('hook:'))
  assert.equal(
    hooks.map(({ id, state }) => [id, state]).sort(),
    ['after_finalize', 'after_rollout', 'before_build/app', 'before_deploy', 'before_rollout'].map((point) => [`hook:${point}`, 'fresh']),
  )
  fleet.release('2')
  const built = await fleet.run(['build', '--env', 'prod'])
  assert.is(built.code, 0, built.stderr)
  assert.equal(noted(), ['build build'])
})

test('a failing hook before the rollout leaves what runs, and that after a failure is told why; the exit code is that of the deploy', async () => {
  withHooks({
    before_rollout: `'echo not today; exit 3'`,
    after_rollout: JSON.stringify(note('rolled')),
    after_failure: JSON.stringify(`${note('failed $STAGECRAFT_FAILED_TASK: $STAGECRAFT_REASON ($STAGECRAFT_STATUS)')}; exit 9`),
  })
  const { code, stdout, stderr } = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(code, 2, stderr + stdout)
  assert.equal(noted(), ['failed hook:before_rollout: hook before_rollout: `echo not today; exit 3` exited with code 3 (failed)'])
  assert.match(stderr, /hook after_failure: .*exited with code 9; what the deploy came to is not changed by that/)
  assert.equal(fleet.versions(), all('1'))
  const { releases } = JSON.parse((await fleet.run(['releases', 'list', '--format', 'json'])).stdout) as { releases: { status: string }[] }
  assert.is(releases[0]?.status, 'failed')
})

test('a failing hook after the rollout takes the fleet back; one that only warns does not', async () => {
  withHooks({ after_rollout: `'exit 4'`, after_failure: JSON.stringify(note('failed')) })
  const failed = await fleet.run(['deploy', '--env', 'prod'])
  assert.is(failed.code, 2, failed.stderr + failed.stdout)
  assert.equal(fleet.versions(), all('1'))
  assert.equal(noted(), ['failed'])
  withHooks({ after_rollout: `{command: 'exit 4', on_failure: warn}`, after_failure: JSON.stringify(note('failed')) })
  const warned = await fleet.run(['deploy', '--env', 'prod', '--verbose'])
  assert.is(warned.code, 0, warned.stderr + warned.stdout)
  assert.match(warned.stdout + warned.stderr, /warning: .*exited with code 4/)
  assert.equal(fleet.versions(), all('2'))
  assert.equal(noted(), [])
})

test('stagecraft inside a hook may look; a deploy of the same environment is refused at once, and after the end the lock is still held', async () => {
  const hook = (command: string) => JSON.stringify({ command, env: ['HOME', 'DOCKER_CONFIG', 'NODE_EXTRA_CA_CERTS'] })
  const nested = (words: string) => `${process.execPath} ${stagecraft} ${words}`
  withHooks({
    before_rollout: hook(`${nested('plan --format json')} > nested.log 2>&1; ${note('looked $?')}`),
    after_finalize: hook(`echo 4 > web/www/version; ${nested('deploy')} > nested.log 2>&1; ${note('nested $?')}`),
  })
  fleet.release('3')
  const { code, stdout, stderr } = await fleet.run(['deploy', '--env', 'prod'], { timeoutMs: 120_000 })
  assert.is(code, 0, stderr + stdout)
  assert.equal(noted(), ['looked 0', 'nested 2'])
  assert.match(fleet.read('nested.log'), /this runs inside the hook after_finalize of a deploy of the same environment/)
  assert.equal(fleet.versions(), all('3'))
  for (const host of ['node-1', 'node-2', 'node-3'])
    assert.not.match(fleet.on(host, 'ls', fleet.remoteDirectory), /^lock/m, 'the lock is given back')
})

suite.run()
