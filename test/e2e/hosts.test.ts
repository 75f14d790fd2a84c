/** The transport against real machines: OpenSSH, its SFTP server and Docker Engine on the hosts of the lab. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { createRemoteHost, type RemoteHost, type RemoteHostOptions } from '../../src/hosts/remote-host.ts'
import type { EngineEvent } from '../../tasks/ports.ts'
import { within } from '../support/assertions.ts'
import { labSuite } from '../support/lab-suite.ts'
import { failureOf } from '../support/ssh-server.ts'

const suite = await labSuite('e2e/hosts')
const { test, obstacle } = suite
const lab = obstacle === undefined ? suite.lab().dir : ''
const address = obstacle === undefined ? suite.lab().hosts[0]?.address : undefined
const labFile = (name: string) => readFileSync(join(lab, name), 'utf8')
const project = `transport-${randomBytes(3).toString('hex')}`
const temporary = mkdtempSync(join(tmpdir(), 'stagecraft-e2e-hosts-'))
const open = new Set<RemoteHost>()

function remote(change: Partial<RemoteHostOptions> = {}, port = 22, at = address ?? ''): RemoteHost {
  const host = createRemoteHost({
    address: { name: 'host-1', address: at, user: 'deploy', port, identityFile: join(lab, 'ssh', 'id_ed25519'), roles: [] },
    project,
    environment: 'e2e',
    directory: `/opt/stagecraft/${project}/e2e`,
    knownHosts: [join(lab, 'ssh', 'known_hosts')],
    homeDirectory: temporary,
    projectDirectory: temporary,
    env: {},
    signal: new AbortController().signal,
    ...change,
  })
  open.add(host)
  return host
}
const asRoot = (change: Partial<RemoteHostOptions> = {}, port = 22) =>
  remote({
    ...change,
    address: { name: 'host-1', address: address ?? '', user: 'root', port, identityFile: join(lab, 'ssh', 'id_ed25519'), roles: [] },
  })

/** Pins the lab's host under another port. */
function pinned(host: string, port: number): string {
  const path = join(temporary, `known-${port}`)
  const lines = labFile('ssh/known_hosts').split('\n')
  const key = lines
    .find(
      (line) =>
        line.startsWith(`[${address}]`) ||
        line
          .split(' ')[0]
          ?.split(',')
          .includes(address ?? ''),
    )
    ?.split(' ')
    .slice(1)
    .join(' ')
  writeFileSync(path, `[${host}]:${port} ${key}\n`)
  return path
}

const labTest = (name: string, body: () => Promise<void>) => test(name, () => within(120_000, body()))

test.after(async () => {
  if (address !== undefined) await remote().run({ argv: ['rm', '-rf', `/opt/stagecraft/${project}`] })
  await Promise.all([...open].map((host) => host.close()))
  rmSync(temporary, { recursive: true })
})

labTest('programs, files and the engine through another machine, as ~/.ssh/config has it', async () => {
  const home = join(temporary, 'behind')
  mkdirSync(join(home, '.ssh'), { recursive: true })
  const lines = ['Host bastion', `  HostName ${address}`, '  User deploy', `  IdentityFile ${join(lab, 'ssh', 'id_ed25519')}`]
  writeFileSync(
    join(home, '.ssh', 'config'),
    [...lines, `Host ${address}`, '  ProxyJump bastion', 'Match host bastion', '  ProxyJump none', ''].join('\n'),
  )
  const host = remote({ homeDirectory: home })
  assert.is(
    (await host.run({ argv: ['printenv', 'SSH_CONNECTION'] })).stdout.split(' ')[0],
    address,
    'it comes from the machine on the way',
  )
  await host.files.write('through', Buffer.from('a file'), 0o640)
  assert.is((await host.files.read('through'))?.toString(), 'a file')
  await host.files.remove('through')
  assert.ok(Array.isArray((await host.observe()).containers))
})

labTest('a host that knows nothing of a project is an empty state', async () => {
  const host = remote()
  assert.equal(await host.observe(), { containers: [] })
  assert.equal(host.stats(), { connections: 1, execs: 0, sftpChannels: 1, engineChannels: 1, tunnels: 0 })
})

labTest('files, links and directories are what was asked for, and seen by the next look', async () => {
  const host = remote()
  const bytes = randomBytes(3_000_000)
  await host.files.write('bundles/b1/docker-compose.yml', bytes, 0o640)
  await host.files.point('current', 'bundles/b1')
  await host.files.point('release', 'r1 f1')
  await host.files.point('release', 'r2 f2')
  const stat = await host.run({ argv: ['stat', '-c', '%a %s', `${host.directory}/bundles/b1/docker-compose.yml`] })
  assert.is(stat.stdout, '640 3000000\n')
  assert.ok(Buffer.from((await host.files.read('current/docker-compose.yml')) ?? []).equals(bytes))
  assert.is((await host.run({ argv: ['readlink', `${host.directory}/release`] })).stdout, 'r2 f2\n')
  assert.equal(await host.files.list(''), ['bundles', 'current', 'release'])
  host.changed()
  const { bundle, release } = await host.observe()
  assert.equal({ bundle, release }, { bundle: 'b1', release: 'r2 f2' })
  await host.files.remove('bundles')
  assert.equal(await host.files.list(''), ['current', 'release'])
  host.changed()
  assert.is((await host.observe()).bundle, undefined)
})

labTest('a program gets its words, input and directory, and dies when it is not waited for', async () => {
  const host = remote()
  const words = ["it's", '$HOME', 'a\nb', '*', '']
  assert.equal((await host.run({ argv: ['printf', '%s|', ...words] })).stdout, words.map((word) => `${word}|`).join(''))
  assert.equal(await host.run({ argv: ['sh', '-c', 'cat; pwd; exit 9'], cwd: '/usr/lib', stdin: 'in\n' }), {
    code: 9,
    stdout: 'in\n/usr/lib\n',
    stderr: '',
  })
  const marker = `77${Math.floor(Math.random() * 1e6)}`
  assert.is((await failureOf(host.run({ argv: ['sleep', marker], timeoutMs: 500 }))).reason, 'timeout')
  const isGone = 'for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f "^sleep $0" >/dev/null || exit 0; sleep 0.3; done; exit 1'
  assert.is((await host.run({ argv: ['sh', '-c', isGone, marker] })).code, 0)
})

labTest('one of two connections has the lock, and a killed process loses it to the next at once', async () => {
  const [one, other] = [remote(), remote()]
  const held = await one.lock.acquire({ owner: 'run-1', description: 'first' })
  assert.match((await failureOf(other.lock.acquire({ owner: 'run-2', description: 'second' }))).message, /locked by first/)
  assert.is((await other.observe()).lock?.owner, 'run-1')
  await held.verify()
  await held.release()
  const child = spawn(process.execPath, ['--input-type=module', '-e', lockAndWait()], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  assert.match((await failureOf(other.lock.acquire({ owner: 'run-2', description: 'second' }))).message, /locked by child/)
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
  const taken = await other.lock.acquire({ owner: 'run-2', description: 'second' })
  assert.is(taken.fence, 2)
  await taken.release()
  assert.equal(
    (await one.files.list('')).filter((name) => name.startsWith('lock')),
    [],
  )
})

labTest('a container is pulled, watched, inspected, read and removed', async () => {
  const host = remote()
  const { username, password } = (JSON.parse(labFile('credentials.json')) as { registry: { username: string; password: string } }).registry
  const tags = (await host.run({ argv: ['docker', 'images', '--format', '{{.Repository}}:{{.Tag}}'] })).stdout
  const registry = /^\S+(?=\/lab\/busybox:1$)/m.exec(tags)?.[0] ?? `${(address ?? '').replace(/\d+$/, '1')}:5443`
  const image = `${registry}/lab/busybox:1`
  const lines: string[] = []
  await host.engine.pull(image, { username, password, serveraddress: registry }, (line) => lines.push(line))
  assert.ok(lines.some((line) => line.startsWith('Status:')))
  assert.is(await host.engine.hasImage(image), true)
  assert.is(await host.engine.hasImage(`${registry}/lab/none:1`), false)
  assert.match(
    (await failureOf(host.engine.pull(`${registry}/lab/none:1`, { username, password, serveraddress: registry }))).remedy ?? '',
    /push the image first/,
  )
  assert.match(
    (await failureOf(host.engine.pull(`${registry}/lab/none:2`, { username, password: 'wrong', serveraddress: registry }))).remedy ?? '',
    /docker login/,
  )

  const labels = [`project=${project}`, 'env=e2e', 'service=web', 'hash=h1'].flatMap((label) => ['--label', `stagecraft.${label}`])
  const health = ['--health-cmd', 'true', '--health-interval', '1s']
  const name = `${project}-web-1`
  const program = ['sh', '-c', 'echo out; echo err >&2; trap "exit 3" TERM; while :; do sleep 0.1; done']
  const made = await host.run({ argv: ['docker', 'create', '--name', name, ...labels, ...health, image, ...program] })
  assert.is(made.code, 0, made.stderr)
  const id = made.stdout.trim()
  const seen: EngineEvent[] = []
  let changed = () => {}
  const until = async (found: () => boolean) => {
    while (!found())
      await within(
        20_000,
        new Promise<void>((resolve) => {
          changed = resolve
        }),
      )
  }
  const subscription = await host.engine.events((event) => {
    seen.push(event)
    changed()
  })
  try {
    await host.engine.start(id)
    await host.engine.start(id)
    await until(() => seen.some(({ action, container }) => action === 'health_status: healthy' && container === id))
    host.changed()
    const [container] = (await host.observe()).containers
    assert.equal(
      [container?.name, container?.service, container?.hash, container?.state, container?.health],
      [name, 'web', 'h1', 'running', 'healthy'],
    )
    assert.ok(container?.address)
    await host.engine.setRestartPolicy(id, { name: 'unless-stopped' })
    const detail = await host.engine.inspect(id)
    assert.equal([detail.state, detail.health, detail.restartPolicy, detail.error], ['running', 'healthy', 'unless-stopped', ''])
    assert.equal([...(await host.engine.logs(id, 10))].sort(), ['err', 'out'])
    await host.engine.stop(id, 5)
    await until(() => seen.some(({ action, exitCode }) => action === 'die' && exitCode === 3))
    await host.engine.stop(id, 5)
  } finally {
    subscription.close()
    await host.engine.remove(id)
    await host.engine.remove(id)
  }
  assert.match((await failureOf(host.engine.inspect(id))).message, /No such container/i)
  assert.is(host.stats().connections, 1)
  assert.ok(host.stats().engineChannels <= 3, JSON.stringify(host.stats()))
})

labTest('an sshd that forwards no sockets is served by the docker program', async () => {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const pidFile = `/run/sshd-${port}.pid`
  const root = asRoot()
  // It goes into the background before it listens; its pid is written after that.
  const script =
    '/usr/sbin/sshd -p "$1" -o AllowStreamLocalForwarding=no -o "PidFile=$0" && for _ in $(seq 100); do test -s "$0" && exit; sleep 0.1; done; exit 1'
  const started = await root.run({ argv: ['sh', '-c', script, pidFile, String(port)] })
  assert.is(started.code, 0, started.stderr)
  try {
    const host = remote({ knownHosts: [pinned(address ?? '', port)] }, port)
    assert.equal((await host.observe()).containers, [])
    host.changed()
    await host.observe()
    assert.equal(host.stats(), { connections: 1, execs: 2, sftpChannels: 1, engineChannels: 0, tunnels: 0 })
    await host.close()
  } finally {
    await root.run({ argv: ['sh', '-c', 'kill "$(cat "$0")"', pidFile] })
  }
})

labTest('a user who may do nothing is told what to do about it', async () => {
  const user = project
  const root = asRoot()
  const script =
    'useradd --create-home "$0" && usermod --password "*" "$0" && install -d -m 700 -o "$0" "/home/$0/.ssh" && install -m 600 -o "$0" /root/.ssh/authorized_keys "/home/$0/.ssh/"'
  assert.is((await root.run({ argv: ['sh', '-c', script, user] })).code, 0)
  try {
    const host = remote({
      address: { name: 'host-1', address: address ?? '', user, identityFile: join(lab, 'ssh', 'id_ed25519'), roles: [] },
    })
    const engine = await failureOf(host.observe())
    assert.match(engine.message, new RegExp(`${user} may not use Docker on host-1`))
    assert.match(engine.remedy ?? '', /usermod -aG docker/)
    const files = await failureOf(host.files.write('x', Buffer.from('x'), 0o644))
    assert.match(files.message, /permission denied/)
    assert.match(files.remedy ?? '', /sudo install -d -o/)
    assert.match((await failureOf(host.lock.acquire({ owner: 'run-1', description: 'x' }))).message, /permission denied/)
    await host.close()
  } finally {
    await root.run({ argv: ['userdel', '--remove', user] })
  }
})

labTest('a full disk and a read-only one are named', async () => {
  const root = asRoot()
  const directory = `/run/${project}`
  const mount = await root.run({ argv: ['sh', '-c', 'mkdir "$0" && mount -t tmpfs -o size=64k none "$0"', directory] })
  assert.is(mount.code, 0, mount.stderr)
  try {
    const host = asRoot({ directory })
    assert.match((await failureOf(host.files.write('big', Buffer.alloc(200_000), 0o644))).message, /no space left/)
    assert.equal(await host.files.list(''), [])
    await root.run({ argv: ['mount', '-o', 'remount,ro', directory] })
    assert.match((await failureOf(host.files.write('small', Buffer.alloc(1), 0o644))).message, /read-only/)
  } finally {
    await root.run({ argv: ['sh', '-c', 'umount "$0" && rmdir "$0"', directory] })
  }
})

labTest('a host key that is not pinned is refused before anything is sent', async () => {
  const failure = await failureOf(remote({ knownHosts: [join(temporary, 'none')] }).observe())
  assert.match(failure.message, /is not known: ssh-ed25519 SHA256:/)
})

/** A program that takes the lock and stays. */
function lockAndWait(): string {
  const module = fileURLToPath(new URL('../../src/hosts/remote-host.js', import.meta.url))
  const options = {
    address: { name: 'host-1', address, user: 'deploy', identityFile: join(lab, 'ssh', 'id_ed25519'), roles: [] },
    project,
    environment: 'e2e',
    directory: `/opt/stagecraft/${project}/e2e`,
    knownHosts: [join(lab, 'ssh', 'known_hosts')],
    homeDirectory: temporary,
    projectDirectory: temporary,
    env: {},
  }
  return `import { createRemoteHost } from ${JSON.stringify(module)}
    const host = createRemoteHost({ ...${JSON.stringify(options)}, signal: new AbortController().signal })
    await host.lock.acquire({ owner: 'run-child', description: 'child' })
    console.log('held')
    setInterval(() => {}, 1000)`
}

suite.run()
