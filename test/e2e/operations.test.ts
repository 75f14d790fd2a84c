/** `status`, `logs` and `doctor` against two real hosts: what they say of a fleet that is well, that was meddled with, and that is rolled meanwhile. */
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { labSuite } from '../support/lab-suite.ts'
import { eventually } from '../support/processes.ts'

const suite = await labSuite('e2e/operations', 2)
const { test, obstacle } = suite
const program = join(dirname(fileURLToPath(import.meta.url)), '../../../bin/stagecraft.js')
const name = `ops-${randomBytes(3).toString('hex')}`
const directory = mkdtempSync(join(tmpdir(), `${name}-`))

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(args: readonly string[]) {
  const { registry } = suite.lab()
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    DOCKER_CONFIG: registry.dockerConfigDir,
    NODE_EXTRA_CA_CERTS: registry.caFile,
    NO_COLOR: '1',
  }
  const child = spawn(process.execPath, [program, ...args], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  const ended = new Promise<Finished>((resolve) => child.on('close', (code) => resolve({ code, ...said })))
  return { child, said, ended }
}
const run = (...args: string[]) => within(120_000, start(args).ended)
const onHost = (index: 0 | 1, ...argv: string[]) =>
  execFileSync('docker', ['exec', suite.lab().hosts[index]?.container ?? '', ...argv], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })

function writeProject(
  change: { readonly mark?: string; readonly port?: number; readonly user?: string; readonly knownHosts?: string } = {},
): void {
  const { hosts, identityFile, images } = suite.lab()
  const entries = hosts.slice(0, 2).map(({ address }, index) => {
    const port = index === 1 ? (change.port ?? 22) : 22
    return `      - { name: node-${index + 1}, address: "${address}", port: ${port}, user: ${change.user ?? 'deploy'}, identity_file: "${identityFile}", roles: [app] }`
  })
  writeFileSync(
    join(directory, 'stagecraft.yml'),
    `project: { name: ${name} }
environments:
  prod:
    hosts:
${entries.join('\n')}
    known_hosts: [${change.knownHosts ?? 'known_hosts'}]
    env_file: .env.prod
    variables: { MARK: ${change.mark ?? 'one'} }
services:
  web: { role: app, rollout: { min_ready_seconds: 1 } }
`,
  )
  const script = 'i=0; while :; do i=$$((i+1)); echo "tick $$i $MARK $TOKEN"; sleep 0.3; done'
  writeFileSync(
    join(directory, 'docker-compose.yml'),
    `services:\n  web:\n    image: ${images.busybox}\n    command: [sh, -c, '${script}']\n    stop_grace_period: 1s\n    restart: unless-stopped\n`,
  )
}

test.before(async () => {
  if (obstacle !== undefined) return
  copyFileSync(suite.lab().knownHostsFile, join(directory, 'known_hosts'))
  writeFileSync(join(directory, '.env.prod'), 'TOKEN=not-for-any-eyes\n')
  chmodSync(join(directory, '.env.prod'), 0o600)
  writeProject()
  const deployed = await run('deploy', '--env', 'prod', '--version', 'v1')
  assert.is(deployed.code, 0, deployed.stderr)
})

test.after(() => {
  if (obstacle !== undefined) return
  for (const index of [0, 1] as const) {
    const ids = onHost(index, 'docker', 'ps', '-aq', '--filter', `label=stagecraft.project=${name}`).split('\n').filter(Boolean)
    if (ids.length > 0) onHost(index, 'docker', 'rm', '-f', ...ids)
    onHost(index, 'docker', 'network', 'rm', `${name}-prod_default`)
    onHost(index, 'rm', '-rf', `/opt/stagecraft/${name}`)
  }
  rmSync(directory, { recursive: true, force: true })
})

test('a fleet that is well is in sync, also for a checkout that never deployed', async () => {
  rmSync(join(directory, '.stagecraft'), { recursive: true, force: true })
  const { code, stdout, stderr } = await run('status', '--exit-code')
  assert.is(code, 0, `${stdout}${stderr}`)
  assert.match(stdout, /^prod v1 · rel-\d+-\d+ · just now · by \S+@\S+\n\nHOST .*\nnode-1 {2}web .* 1\/1 .* -\nnode-2 {2}web .* -\n$/)
})

test('a container that was stopped, and one that was removed by hand, are drift', async () => {
  onHost(0, 'docker', 'stop', '-t', '1', `${name}-prod-web-1`)
  onHost(1, 'docker', 'rm', '-f', `${name}-prod-web-1`)
  const { code, stdout } = await run('status', '--exit-code', '--format', 'json')
  assert.is(code, 10)
  const { hosts } = JSON.parse(stdout) as { hosts: { services: { drift: { kind: string }[] }[] }[] }
  assert.equal(
    hosts.map(({ services }) => services[0]?.drift.map(({ kind }) => kind)),
    [['replicas', 'stopped'], ['missing']],
  )
  assert.is((await run('deploy', '--env', 'prod', '--version', 'v2')).code, 0)
  assert.is((await run('status', '--exit-code')).code, 0)
})

test('a host that cannot be reached is a row with its reason, and half an answer', async () => {
  writeProject({ port: 2299 })
  const { code, stdout } = await run('status')
  writeProject()
  assert.is(code, 10)
  assert.match(stdout, /^node-1 {2}web .* -$/m)
  assert.match(stdout, /^node-2 .* unreachable .*$/m)
  assert.match(stdout, 'nothing listens on port 2299')
})

test('output of both hosts is one stream in order, without secrets', async () => {
  const { code, stdout } = await run('logs', 'web', '--tail', '20', '--format', 'json')
  assert.is(code, 0)
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { at: string; host: string; line: string })
  assert.equal([...new Set(lines.map(({ host }) => host))].sort(), ['node-1', 'node-2'])
  assert.equal(
    lines.map(({ at }) => at),
    lines.map(({ at }) => at).sort(),
  )
  assert.ok(lines.every(({ line }) => /^tick \d+ one \*\*\*$/.test(line)))
  assert.not.match(stdout, 'not-for-any-eyes')
})

test('whoever follows hears what replaces a container, and leaves nothing behind', async () => {
  const following = start(['logs', '--follow', '--tail', '0'])
  await eventually(() => following.said.stdout.includes('node-2/'), 30_000)
  writeProject({ mark: 'two' })
  assert.is((await run('deploy', '--env', 'prod', '--version', 'v3')).code, 0)
  await eventually(
    () => /node-1\/\S+ +│ tick \d+ two/.test(following.said.stdout) && /node-2\/\S+ +│ tick \d+ two/.test(following.said.stdout),
    30_000,
  )
  following.child.kill('SIGINT')
  const { code, stdout, stderr } = await within(10_000, following.ended)
  assert.is(code, 0, stderr)
  assert.match(stderr, /node-1\/web-\d+ started\n/)
  const numbered = stdout.split('\n').filter((line) => line.startsWith('node-1/') && line.includes(' two '))
  assert.equal(
    numbered.map((line) => Number(/tick (\d+)/.exec(line)?.[1])),
    numbered.map((_, index) => index + 1),
  )
  assert.is(new Set(numbered).size, numbered.length)
})

test('a reader that has seen enough ends it without a word', async () => {
  const reading = start(['logs', '--follow'])
  reading.child.stdout.once('data', () => reading.child.stdout.destroy())
  const { code, stderr } = await within(20_000, reading.ended)
  assert.is(code, 0, stderr)
  assert.is(stderr, '')
})

test('two hosts that are ready have no problem', async () => {
  const { code, stdout } = await run('doctor', '--env', 'prod')
  assert.is(code, 0, stdout)
  assert.match(stdout, /ready to deploy/)
  assert.not.match(stdout, 'not-for-any-eyes')
})

test('an unknown host key is a problem with the line that mends it', async () => {
  writeProject({ knownHosts: '' })
  const { code, stdout } = await run('doctor', '--env', 'prod')
  writeProject()
  assert.is(code, 2)
  const { address = '' } = suite.lab().hosts[0] ?? {}
  const known = readFileSync(join(directory, 'known_hosts'), 'utf8').split('\n')
  const pinned = known.find((line) => line.split(' ')[0]?.split(',').includes(address)) ?? ''
  assert.match(stdout, /the host key of node-1 .* is not known/)
  assert.match(stdout, pinned.split(' ').slice(1, 3).join(' '))
})

test('a user who may not use Docker is told how to be allowed', async () => {
  const home = '/var/tmp/plain'
  for (const index of [0, 1] as const) {
    onHost(index, 'useradd', '--create-home', '--home-dir', home, '--shell', '/bin/sh', '--password', '*', 'plain')
    onHost(index, 'install', '-d', '-o', 'plain', '-m', '700', `${home}/.ssh`)
    onHost(index, 'install', '-o', 'plain', '-m', '600', '/root/.ssh/authorized_keys', `${home}/.ssh/authorized_keys`)
  }
  try {
    writeProject({ user: 'plain' })
    const { code, stdout } = await run('doctor', '--env', 'prod')
    assert.is(code, 2)
    assert.match(stdout, /plain may not use Docker on node-1/, stdout)
    assert.match(stdout, 'sudo usermod -aG docker plain')
  } finally {
    writeProject()
    for (const index of [0, 1] as const) onHost(index, 'userdel', '--remove', 'plain')
  }
})

suite.run()
