import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment } from '../../../../src/contracts.ts'
import type { RunProcess } from '../../../../src/hosts/process.ts'
import { type Check, exitCodeOfChecks, isAtLeast } from '../../../../src/operations/doctor/check.ts'
import { doctorText } from '../../../../src/operations/doctor/doctor-text.ts'
import { fileSystem, type HostFacts, listeningPorts, publishersOf } from '../../../../src/operations/doctor/host-facts.ts'
import type { ImageAccess } from '../../../../src/operations/doctor/images.ts'
import { type HostSituation, judgeHost } from '../../../../src/operations/doctor/judge-host.ts'
import { checkMachine } from '../../../../src/operations/doctor/machine.ts'
import { examine } from '../../../../src/operations/doctor/run-doctor.ts'
import { createPaint } from '../../../../src/ui/paint.ts'
import { TaskFailure } from '../../../../tasks/kind.ts'
import { type FakeFleet, withFakeFleet } from '../../../support/fake-fleet.ts'
import type { FakeHost } from '../../../support/fake-host.ts'

const test = suite('src/operations/doctor/doctor')

// --- versions and codes -------------------------------------------------------------------------------------------------

for (const [version, least, expected] of [
  ['20.19.0', '20.19', true],
  ['v20.18.9', '20.19', false],
  ['26.1.5+dfsg1', '20.10', true],
  ['2.26.1-desktop.1', '2.0', true],
  ['1.29.2', '2.0', false],
  ['unknown', '2.0', undefined],
] as const) {
  test(`${version} is ${expected === undefined ? 'not comparable with' : expected ? 'at least' : 'older than'} ${least}`, () =>
    assert.is(isAtLeast(version, least), expected))
}

const check = (verdict: Check['verdict'], cause?: Check['cause']): Check => ({
  section: 's',
  name: 'n',
  verdict,
  message: 'm',
  ...(cause ? { cause } : {}),
})
for (const [checks, code] of [
  [[], 0],
  [[check('ok'), check('warning'), check('skipped')], 0],
  [[check('problem', 'world')], 2],
  [[check('problem', 'world'), check('problem', 'input')], 1],
] as const) {
  test(`${JSON.stringify(checks.map(({ verdict, cause }) => cause ?? verdict))} is exit code ${code}`, () =>
    assert.is(exitCodeOfChecks(checks), code))
}

// --- facts ----------------------------------------------------------------------------------------------------------------

const exit = (stdout: string, code = 0) => ({ code, stdout, stderr: '' })

test('free space and files are read from df, also where files are not counted', () => {
  const blocks = exit('Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 400 600 40% /\n')
  const files = exit('Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 100 98 2 98% /\n')
  assert.equal(fileSystem('/x', blocks, files), [{ path: '/x', freeBytes: 614_400, freeFiles: 2, freeFilesShare: 0.02 }])
  assert.equal(fileSystem('/x', blocks, exit('Filesystem Inodes IUsed IFree IUse% Mounted on\nbtrfs 0 0 0 - /\n')), [
    { path: '/x', freeBytes: 614_400 },
  ])
  assert.equal(fileSystem('/x', exit('', 1), files), [])
})

test('published and listening ports are read from docker and ss', () => {
  assert.equal(
    publishersOf('web-1\tshop\tprod\t0.0.0.0:8080->80/tcp, [::]:8080->80/tcp\ndb\t\t\t5432/tcp\nx\t\t\t127.0.0.1:9000-9001->1-2/tcp\n'),
    [
      { container: 'web-1', project: 'shop', environment: 'prod', ports: [8080] },
      { container: 'x', project: '', environment: '', ports: [9000, 9001] },
    ],
  )
  assert.equal(
    listeningPorts('LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\nLISTEN 0 128 [::]:22 [::]:*\nLISTEN 0 1 127.0.0.1%lo:53 0.0.0.0:*\n'),
    [22, 53],
  )
})

const service = { name: 'db', hosts: ['node-1'], definition: { ports: ['5432:5432'] } } as unknown as Deployment['services'][number]
const built = { ...service, name: 'api', definition: {}, build: { platforms: [] } } as unknown as Deployment['services'][number]
const deployment = {
  ...{ project: 'shop', environment: 'prod', directory: '/opt/stagecraft/shop/prod', services: [service, built] },
  variables: { plain: {}, secret: [] },
} as unknown as Deployment
const well: HostFacts = {
  engine: { version: '26.1.5', architecture: 'x86_64' },
  compose: '2.26.1',
  clockSkewSeconds: 0.4,
  fileSystems: [{ path: '/opt', freeBytes: 50e9, freeFiles: 1000, freeFilesShare: 0.9 }],
  folder: { path: '/opt/stagecraft', isWritable: true },
  publishers: [{ container: 'shop-prod-db-1', project: 'shop', environment: 'prod', ports: [5432] }],
  listening: [22, 5432],
}
const situation = (facts: Partial<HostFacts>): HostSituation => ({
  ...{ section: 'node-1', host: 'node-1', user: 'deploy', deployment, builderArchitecture: 'x64' },
  facts: { ...well, ...facts },
})

test('a host that is as it should be has no problem and no warning', () => {
  const checks = judgeHost(situation({}))
  assert.equal([...new Set(checks.map(({ verdict }) => verdict))], ['ok'])
})

const judged: readonly [Partial<HostFacts>, Check['verdict'], string, RegExp][] = [
  [{ engine: { version: '19.3.1' } }, 'problem', 'engine', /19\.3\.1 is older than 20\.10/],
  [{ engine: {} }, 'warning', 'engine', /could not be asked/],
  [{ compose: '1.29.2' }, 'problem', 'compose', /older than/],
  [
    { engine: { version: '26.1', architecture: 'aarch64' } },
    'warning',
    'architecture',
    /it is arm64, and images of api are built here for x64/,
  ],
  [{ clockSkewSeconds: -600 }, 'warning', 'clock', /600 s behind/],
  [{ clockSkewSeconds: 600 }, 'warning', 'clock', /600 s ahead of/],
  [{ fileSystems: [{ path: '/opt', freeBytes: 1e8 }] }, 'problem', 'disk', /only 100 MB are free at \/opt/],
  [{ fileSystems: [{ path: '/opt', freeBytes: 1e9 }] }, 'warning', 'disk', /only 1 GB/],
  [{ fileSystems: [] }, 'skipped', 'disk', /could not/],
  [{ fileSystems: [{ path: '/opt', freeBytes: 50e9, freeFiles: 0, freeFilesShare: 0 }] }, 'problem', 'inodes', /out of inodes/],
  [{ fileSystems: [{ path: '/opt', freeBytes: 50e9, freeFiles: 9, freeFilesShare: 0.01 }] }, 'warning', 'inodes', /only 9 files more/],
  [{ folder: { path: '/opt', isWritable: false } }, 'problem', 'folder', /deploy may not make .*: \/opt belongs to someone else/],
  [{ folder: { path: deployment.directory, isWritable: false } }, 'problem', 'folder', /deploy may not write to/],
  [
    { publishers: [{ container: 'other-db-1', project: 'other', environment: 'prod', ports: [5432] }] },
    'problem',
    'ports',
    /port 5432, which db publishes, is taken by other-db-1 of other\/prod/,
  ],
  [{ publishers: [] }, 'problem', 'ports', /taken by another program/],
  [{ lock: { holder: 'anna@laptop pid 1', silentSeconds: 3 } }, 'warning', 'lock', /anna@laptop pid 1 holds the lock$/],
  [{ lock: { holder: 'anna@laptop pid 1', silentSeconds: 300 } }, 'warning', 'lock', /no sign of life for 300 s/],
]
for (const [facts, verdict, name, message] of judged) {
  test(`${JSON.stringify(facts)} is a ${verdict} of ${name}`, () => {
    const found = judgeHost(situation(facts)).filter((one) => one.verdict !== 'ok')
    assert.equal(
      found.map((one) => [one.verdict, one.name]),
      [[verdict, name]],
    )
    assert.match(found[0]?.message ?? '', message)
    if (verdict === 'problem') assert.ok(found[0]?.remedy)
  })
}

test('a host without Compose is told to install it', () => {
  const { compose: _, ...facts } = well
  const found = judgeHost({ ...situation({}), facts }).filter(({ verdict }) => verdict !== 'ok')
  assert.match(found[0]?.message ?? '', /Compose v2 is not installed/)
})

// --- this machine -----------------------------------------------------------------------------------------------------

const program = (answers: Readonly<Record<string, string>>): RunProcess => {
  return async ({ argv }) => {
    const answer = answers[argv.slice(0, 2).join(' ')]
    if (answer === undefined) throw new TaskFailure({ reason: 'refused', subject: argv[0], message: 'not found' })
    return exit(answer, answer.startsWith('Cannot') ? 1 : 0)
  }
}
const tools = {
  'git --version': 'git version 2.39\n',
  'docker version': '26.1.5 26.1.5\n',
  'docker buildx': 'github.com/docker/buildx v0.13.1 x\n',
}
const machines: readonly [string, Readonly<Record<string, string>>, string, readonly string[]][] = [
  ['all is there', tools, '20.20.0', []],
  ['an old Node', tools, '18.0.0', ['problem node']],
  ['no git', { ...tools, 'git --version': 'Cannot' }, '20.20.0', ['warning git']],
  ['nothing at all', {}, '20.20.0', ['warning git', 'problem docker', 'problem buildx']],
  ['a daemon that does not run', { ...tools, 'docker version': 'Cannot connect to the Docker daemon' }, '20.20.0', ['problem docker']],
  ['an old buildx', { ...tools, 'docker buildx': 'buildx v0.9.1' }, '20.20.0', ['problem buildx']],
]
for (const [name, answers, nodeVersion, expected] of machines) {
  test(`a machine with ${name}`, async () => {
    const signal = new AbortController().signal
    const checks = await checkMachine({ run: program(answers), nodeVersion, signal, builds: true })
    assert.equal(
      checks.flatMap((one) => (one.verdict === 'ok' ? [] : [`${one.verdict} ${one.name}`])),
      expected,
    )
  })
}

// --- all of it ---------------------------------------------------------------------------------------------------------

const images: ImageAccess = {
  registry: {
    manifest: async (image) => (image.startsWith('postgres') ? undefined : { digest: 'sha256:1' }),
    forget: () => {},
    publishIndex: async () => '',
    credentials: async () => undefined,
  },
  mayPush: async () => {},
}

function answering(host: FakeHost): void {
  host.answer(/^docker info/, { stdout: '26.1.5\tx86_64\t/var/lib/docker\n' })
  host.answer(/^docker compose version/, { stdout: '2.26.1\n' })
  host.answer(/^date/, { stdout: `${Date.parse('2026-01-09T00:00:00Z') / 1000}\n` })
  host.answer(/^stat -c %n/, { stdout: '/opt\n/\n', code: 1 })
  host.answer(/^docker ps/, {})
  host.answer(/^ss /, { code: 127 })
  host.answer(/^df -Pk/, { stdout: 'F\n/dev/sda1 1000 400 60000000 40% /\n' })
  host.answer(/^df -Pi/, { code: 1 })
  host.answer(/^test -w \/opt/, {})
}
const run = program({ 'git --version': 'git version 2.39\n' })
const doctor = (fake: FakeFleet, env?: string) =>
  examine({ ...fake.globals, ...(env === undefined ? {} : { env }) }, fake.app, {
    run,
    images,
    openFleet: (_selection, _globals, _app, work) => work(fake.fleet),
  })

test('every part is looked at, and nothing on hosts is written', () =>
  withFakeFleet({}, async (fake) => {
    chmodSync(join(fake.directory, '.env.prod'), 0o600)
    for (const host of Object.values(fake.hosts)) answering(host)
    const checks = await doctor(fake, 'prod')
    assert.equal([...new Set(checks.map(({ section }) => section))], ['this machine', 'prod', 'node-1', 'node-2'])
    assert.equal(
      checks.flatMap(({ verdict, message }) => (verdict === 'problem' ? [message] : [])),
      ['image postgres:17 is not in its registry'],
    )
    for (const host of Object.values(fake.hosts)) {
      assert.equal(
        host.writes().filter((call) => !/^run (docker (info|ps|compose version)|date|stat|ss|df|test) ?/.test(call)),
        [],
      )
    }
    assert.not.match(JSON.stringify(checks), 'a-secret-token')
  }))

test('a host that does not answer is one problem, and the other is still asked', () =>
  withFakeFleet({}, async (fake) => {
    answering(fake.hosts['node-1'])
    fake.hosts['node-2'].dieAfter(0)
    const checks = await doctor(fake, 'prod')
    assert.equal(
      checks.flatMap(({ section, name, verdict }) => (section === 'node-2' ? [`${verdict} ${name}`] : [])),
      ['problem connection'],
    )
    assert.ok(checks.some(({ section, name }) => section === 'node-1' && name === 'compose'))
  }))

test('a user who may neither read the folder nor use Docker is told both', () =>
  withFakeFleet({}, async (fake) => {
    answering(fake.hosts['node-1'])
    const host = fake.hosts['node-2']
    host.failOn(/^observe/, {
      error: new TaskFailure({ reason: 'refused', subject: 'node-2', message: 'permission denied for deploy', remedy: 'give it' }),
    })
    host.answer(/^docker version/, { code: 1, stderr: 'permission denied while trying to connect' })
    const found = (await doctor(fake, 'prod')).filter(({ section }) => section === 'node-2')
    assert.equal(
      found.map(({ verdict, message }) => [verdict, message]),
      [
        ['problem', 'deploy may not use Docker on node-2: permission denied on its socket'],
        ['problem', 'permission denied for deploy'],
      ],
    )
  }))

test('missing secrets, files and keys of the manifest are input; each is told', () =>
  withFakeFleet({}, async (fake) => {
    const missing = await examine({ ...fake.globals, config: 'none.yml' }, fake.app, { run, images })
    assert.equal(
      missing.flatMap(({ verdict, cause, section }) => (verdict === 'problem' && cause === 'input' ? [section] : [])),
      ['project'],
    )
    const unknown = await doctor(fake, 'staging')
    assert.ok(unknown.some(({ verdict, message }) => verdict === 'problem' && /staging/.test(message)))
    assert.is(exitCodeOfChecks(unknown), 1)
  }))

test('an environment file that others can read is a warning, one that is not there a problem', async () => {
  await withFakeFleet({}, async (fake) => {
    for (const host of Object.values(fake.hosts)) answering(host)
    chmodSync(join(fake.directory, '.env.prod'), 0o644)
    const warned = (await doctor(fake)).filter(({ name }) => name === 'env-file')
    assert.equal(
      warned.map(({ verdict }) => verdict),
      ['warning'],
    )
  })
  const manifest = 'project: { name: shop }\nenvironments:\n  prod: { hosts: [{ name: node-1, address: a }], env_file: .env.none }\n'
  await withFakeFleet({ files: { 'stagecraft.yml': manifest } }, async (fake) => {
    answering(fake.hosts['node-1'])
    const found = (await doctor(fake)).filter(({ name, verdict }) => name === 'env-file' && verdict === 'problem')
    assert.match(found[0]?.message ?? '', /\.env\.none` does not exist/)
  })
})

test('the checklist is one line for each check, and what helps below it', () => {
  const checks: readonly Check[] = [
    { section: 'this machine', name: 'node', verdict: 'ok', message: 'Node 20' },
    { section: 'node-1', name: 'clock', verdict: 'warning', message: 'late', remedy: 'set it' },
    { section: 'node-1', name: 'key', verdict: 'problem', message: 'two\nlines', remedy: 'add:\nthis', cause: 'world' },
    { section: 'node-1', name: 'disk', verdict: 'skipped', message: 'not asked' },
  ]
  assert.is(
    doctorText(checks, createPaint(false)),
    'this machine\n  ✔ Node 20\n\nnode-1\n  ! late\n    try: set it\n  ✖ two\n    lines\n    try: add:\n         this\n  - not asked\n\n1 problem, 1 warning\n',
  )
  assert.match(doctorText(checks.slice(0, 1), createPaint(false)), /ready to deploy\n$/)
  assert.match(doctorText(checks.slice(0, 2), createPaint(false)), /ready to deploy, with 1 warning\n$/)
})

test.run()
