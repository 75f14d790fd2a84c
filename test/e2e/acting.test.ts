/** Operations that act, on real hosts: exec, ssh, restart, prune. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { BusyboxProject } from '../support/busybox-project.ts'
import { EdgeShop } from '../support/edge-shop.ts'
import { labSuite } from '../support/lab-suite.ts'
import { startTraffic } from '../support/traffic.ts'

const suite = await labSuite('e2e/acting', 2)
const { test, obstacle } = suite
const open: BusyboxProject[] = []
const labTest = (name: string, body: () => Promise<void>) => test(name, () => within(180_000, body()))

/** Ports of one host for two replicas, so that a person could reach both. */
const web = (image: string, version: number) => `  web:
    image: ${image}
    command: ["sh", "-c", "echo ${version} > /tmp/index.html; exec httpd -f -p 80 -h /tmp"]
    environment: { GREETING: "hello; $$(id)" }
    restart: unless-stopped
    stop_grace_period: 1s`
const twice = '{ web: { role: app, replicas: 2, rollout: { min_ready_seconds: 1 } } }'

function project(): BusyboxProject {
  const made = new BusyboxProject(suite.lab())
  open.push(made)
  return made
}

let deployed: BusyboxProject
if (obstacle === undefined)
  test.before(async () => {
    deployed = project()
    deployed.write(web(deployed.image, 1), twice)
    const { code, stderr } = await deployed.run(['deploy', '--env', 'prod', '--version', '1'])
    assert.is(code, 0, stderr)
  })
test.after(() => {
  for (const one of open) one.remove()
})

const hostile = ['a b', '$(id)', "it's", '*', ';reboot', '`id`', '"', '\\', '', '-x', '$HOME']
const shown = `${hostile.join('|')}|\n`.replace(/\n$/, '')

labTest('exec hands words over as they are, and passes streams and the exit code through', async () => {
  const words = await deployed.run(['exec', 'web', '--', 'printf', '%s|', ...hostile])
  assert.equal([words.code, words.stdout], [0, shown])
  assert.match(words.stderr, 'web in node-1/web-1')
  const failed = await deployed.run(['exec', 'web', '--quiet', '--', 'sh', '-c', 'echo out; echo err >&2; exit 37'])
  assert.equal([failed.code, failed.stdout, failed.stderr], [37, 'out\n', 'err\n'])
  const input = await deployed.run(['exec', 'web', '-i', '--', 'wc', '-c'], { stdin: 'x'.repeat(1_000_000) })
  assert.equal([input.code, input.stdout.trim()], [0, '1000000'])
  const elsewhere = await deployed.run([
    'exec',
    'web',
    '--user',
    'nobody',
    '--workdir',
    '/tmp',
    '--host',
    'node-2',
    '--replica',
    '2',
    '--',
    'sh',
    '-c',
    'id -un; pwd',
  ])
  assert.equal([elsewhere.code, elsewhere.stdout], [0, 'nobody\n/tmp\n'])
  assert.is((await deployed.run(['exec', 'web', '--', 'no-such-program'])).code, 126)
})

labTest('exec on all replicas: a prefix on each line, the highest exit code', async () => {
  const { code, stdout } = await deployed.run(['exec', 'web', '--all', '--', 'sh', '-c', 'echo one; printf two; exit 4'])
  const lines = stdout.trimEnd().split('\n').sort()
  assert.is(code, 4)
  assert.is(lines.length, 8)
  assert.is(lines[0], 'node-1/web-1 | one')
})

labTest('exec with a terminal: keys, size and exit code', async () => {
  const pty = `import os, pty, sys, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 31, 97, 0, 0))
seen = b''; sent = False
while True:
    try: chunk = os.read(fd, 4096)
    except OSError: break
    if not chunk: break
    seen += chunk
    if b'ready' in seen and not sent: sent = True; os.write(fd, b'\\x03')
sys.stdout.write(seen.decode()); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`
  const script = 'tty; trap "stty size; exit 9" INT; echo ready; while :; do sleep 0.1; done'
  const { code, stdout } = await deployed.run(['exec', 'web', '--', 'sh', '-c', script], { under: ['python3', '-c', pty] })
  assert.is(code, 9, stdout)
  assert.match(stdout, '/dev/pts/')
  assert.match(stdout, '31 97')
  assert.is((await deployed.run(['exec', 'web', '-t', '--', 'sh'])).code, 1, 'a terminal cannot be had where there is none')
})

labTest('an interrupt ends the program in the container', async () => {
  const { code, stderr } = await deployed.run(['exec', 'web', '--', 'sh', '-c', 'echo up; exec sleep 6173'], {
    onSpawn: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
  })
  assert.is(code, 130)
  assert.not.match(stderr, 'warning')
  assert.is(deployed.onHost(0, 'sh', '-c', 'ps ax | grep -c "[s]leep 6173" || true'), '0')
})

labTest('exec --new: a container of the release, of which nothing is left', async () => {
  const made = await deployed.run(
    ['exec', 'web', '--new', '-i', '--', 'sh', '-c', 'cat; echo "$GREETING"; printf "%s|" "$@"; exit 9', 'sh', ...hostile],
    { stdin: 'in\n' },
  )
  assert.equal([made.code, made.stdout], [9, `in\nhello; $(id)\n${shown}`])
  const names = deployed.onHost(0, 'docker', 'ps', '-a', '--filter', `name=^${deployed.name}`, '--format', '{{.Names}}').split('\n').sort()
  assert.equal(names, [`${deployed.name}-prod-web-1`, `${deployed.name}-prod-web-2`])
  deployed.onHost(
    0,
    'docker',
    'create',
    '--name',
    `${deployed.name}-left`,
    '--label',
    `stagecraft.one-off=${deployed.name}/prod`,
    deployed.image,
  )
  await deployed.run(['exec', 'web', '--new', '--', 'true'])
  assert.is(
    deployed.onHost(0, 'docker', 'ps', '-aq', '--filter', `name=${deployed.name}-left`),
    '',
    'what a killed run left goes with the next',
  )
})

labTest('ssh: words as they are, exit codes, and 2 where ssh failed', async () => {
  const words = await deployed.run(['ssh', 'node-1', '--', 'printf', '%s|', ...hostile])
  assert.equal([words.code, words.stdout], [0, shown])
  assert.is((await deployed.run(['ssh', 'app', '--', 'sh', '-c', 'exit 7'])).code, 7)
  const all = await deployed.run(['ssh', 'app', '--all', '--', 'echo', 'hi'])
  assert.equal(all.stdout.trimEnd().split('\n').sort(), ['node-1 | hi', 'node-2 | hi'])
  assert.is((await deployed.run(['ssh', 'node-1', '--user', 'nobody;reboot', '--', 'true'])).code, 2)
  writeFileSync(join(deployed.directory, 'stagecraft.known_hosts.off'), '')
  assert.is((await deployed.run(['ssh', 'nobody', '--', 'true'])).code, 1)
})

labTest('restart under requests: two replicas, never both gone', async () => {
  const address = deployed.onHost(
    0,
    'docker',
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    `${deployed.name}-prod-web-1`,
    `${deployed.name}-prod-web-2`,
  )
  const [first, second] = address.split('\n')
  const started = () =>
    deployed
      .onHost(
        0,
        'docker',
        'inspect',
        '--format',
        '{{.Id}} {{.State.StartedAt}}',
        `${deployed.name}-prod-web-1`,
        `${deployed.name}-prod-web-2`,
      )
      .split('\n')
  const before = started()
  let isOver = false
  const requests = deployed.countFailures(0, () => isOver, [first ?? '', second ?? ''])
  const { code, stderr } = await deployed.run(['restart', 'web', '--env', 'prod', '--host', 'node-1'])
  isOver = true
  assert.is(code, 0, stderr)
  const { asked, unanswered } = await requests
  assert.ok(asked > 5, `${asked} requests`)
  assert.is(unanswered, 0, 'one of the two always answers')
  const after = started()
  for (const [index, line] of after.entries()) {
    assert.is(line.split(' ')[0], before[index]?.split(' ')[0], 'the same container')
    assert.is.not(line.split(' ')[1], before[index]?.split(' ')[1], 'started again')
  }
  assert.is(JSON.parse((await deployed.run(['releases', 'list', '--format', 'json'])).stdout).releases.length, 1)
})

labTest('restart behind the edge: no request is lost, and none in flight is cut', async () => {
  const shop = new EdgeShop(suite.lab(), { replicas: 2, route: '{ domains: DOMAIN, tls: none, drain_seconds: 20 }' })
  try {
    // Each says how many slow requests it had taken, and how many it was still at when it was told to stop.
    shop.edit('app.mjs', (text) =>
      text
        .replace('const server =', 'let taken = 0\nlet open = 0\nconst server =')
        .replace("response.write('slow ')", "taken += 1; open += 1; response.write('slow ')")
        .replace('setTimeout(() => response.end(version)', 'setTimeout(() => { open -= 1; response.end(version) }')
        .replace('process.exit(0)', '{ console.log(`told to stop: ${taken} taken, ${open} open`); process.exit(0) }'),
    )
    shop.version('v1')
    const deployed = await shop.deploy()
    assert.is(deployed.code, 0, deployed.stderr)
    // So many that each container is at some of them whenever it is its turn.
    const traffic = startTraffic({ ...shop.route(), slowAtOnce: 12 })
    await traffic.until('slow v1')
    const { code, stderr } = await shop.run(['restart', 'web', '--env', 'prod'])
    const report = await traffic.stop()
    assert.is(code, 0, stderr)
    assert.equal(report.failures, [], JSON.stringify(report))
    for (const { id } of shop.containers()) {
      const [, taken = '', left] = /told to stop: (\d+) taken, (\d+) open/.exec(shop.onHost('docker', 'logs', id)) ?? []
      assert.ok(Number(taken) > 1, `it took ${taken}`)
      assert.is(left, '0', 'all of them were finished before it was told to stop')
    }
    assert.is((await shop.run(['status', '--env', 'prod', '--exit-code'])).code, 0)
  } finally {
    shop.remove()
  }
})

labTest('restart refuses to take the last one away, unless told to', async () => {
  const alone = project()
  alone.write(web(alone.image, 1).replaceAll('web:', 'web:'), '{ web: { role: app, replicas: 1, rollout: { min_ready_seconds: 1 } } }')
  assert.is((await alone.run(['deploy', '--env', 'prod', '--version', '1'])).code, 0)
  alone.onHost(1, 'docker', 'stop', `${alone.name}-prod-web-1`)
  const refused = await alone.run(['restart', 'web', '--env', 'prod', '--host', 'node-1'])
  assert.is(refused.code, 2)
  assert.match(refused.stderr, 'web is served by node-1/web-1 alone')
  assert.is((await alone.run(['restart', 'web', '--env', 'prod', '--host', 'node-1', '--yes'])).code, 0)
})

labTest('prune with two environments on one host: what either needs stays, and what was kept runs again', async () => {
  const built = project()
  const folder = join(built.directory, 'web')
  mkdirSync(folder)
  const version = (text: string) => {
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${built.image}\nRUN echo ${built.name} ${text} > /version\nCMD ["sleep", "10000"]\n`)
    built.write(
      '  web:\n    build: ./web\n    stop_grace_period: 0s\n    init: true',
      '{ web: { role: app, rollout: { min_ready_seconds: 0 } } }',
      ['prod', 'stage'],
    )
  }
  const deploy = async (env: string, text: string) => {
    version(text)
    const { code, stderr } = await built.run(['deploy', '--env', env, '--version', text])
    assert.is(code, 0, stderr)
  }
  const images = () =>
    built
      .onHost(0, 'docker', 'images', '--digests', '--format', '{{.Repository}}')
      .split('\n')
      .filter((name) => name.includes(built.name)).length
  await deploy('prod', 'one')
  await deploy('stage', 'one')
  for (const text of ['two', 'three', 'four']) await deploy('prod', text)
  assert.is(images(), 4)
  const foreign = built.onHost(0, 'docker', 'images', '-q').split('\n').length
  const dry = await built.run(['prune', '--env', 'prod', '--keep', '2', '--dry-run'])
  assert.match(dry.stdout, 'node-1: would remove')
  assert.is(images(), 4, 'a dry run removes nothing')
  const pruned = await built.run(['prune', '--env', 'prod', '--keep', '2'])
  assert.is(pruned.code, 0, pruned.stderr)
  assert.is(images(), 3, 'that of `two` goes: `one` is needed by stage, `three` and `four` are kept')
  assert.ok(foreign - built.onHost(0, 'docker', 'images', '-q').split('\n').length <= 1, 'nobody else lost an image')
  assert.match((await built.run(['prune', '--env', 'prod', '--keep', '2'])).stdout, 'node-1: nothing to remove')
  await deploy('prod', 'three')
  await deploy('prod', 'two')
  assert.is(images(), 4, 'what had gone was pulled again')
  assert.is((await built.run(['status', '--env', 'stage', '--exit-code'])).code, 0, 'the other environment was not touched')
})

suite.run()
