/** Secrets and their key, the history on the primary host, databases behind hosts: against hosts in memory. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderHistory } from '../../../src/releases/history-file.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { openDatabase } from '../../../src/session/databases.ts'
import { hostHistory } from '../../../src/session/host-history.ts'
import { openRecorder, unrecorded } from '../../../src/session/recording.ts'
import { openSecrets } from '../../../src/session/secrets.ts'
import type { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { FakeHost } from '../../support/fake-host.ts'
import { release } from '../../support/releases.ts'
import { leastManifest, opened, poolOf, writeProject } from '../../support/session-project.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { testApp } from '../../support/test-app.ts'
import { memorySecrets } from '../../tasks/rendering/task-context.ts'

const test = suite('src/session/world-parts')

const manifest = leastManifest.replace('{hosts', '{env_file: .env.prod, hosts')
const key = 'ab'.repeat(32)

/** A project with one secret, and its primary host. */
async function withSecrets(
  work: (parts: {
    directory: string
    host: FakeHost
    open: (access: { online: boolean; writes: boolean }, env?: Record<string, string>) => ReturnType<typeof openSecrets>
    keyFile: string
  }) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': manifest, '.env.prod': 'TOKEN=hunter22\n' })
    const project = await opened(directory)
    const host = new FakeHost('node-1')
    await work({
      directory,
      host,
      open: (access, env = {}) => openSecrets(project, poolOf(host), testApp(directory, env).app, access),
      keyFile: join(directory, '.stagecraft', 'project.key'),
    })
  })
}
const run = { online: true, writes: true }

test('a checkout without a key fetches the host’s, and keeps it', () =>
  withSecrets(async ({ host, open, keyFile }) => {
    host.files.put('project.key', `${key}\n`)
    const secrets = await open(run)
    assert.is(readFileSync(keyFile, 'utf8').trim(), key)
    assert.is(secrets.redact('a hunter22 b'), 'a *** b')
    await secrets.share()
    assert.equal(host.writes(), [])
    host.calls.length = 0
    await open(run)
    assert.equal(host.calls, [], 'a known key is not asked for')
  }))

test('no key anywhere: one is made, and left on the host under the lock', () =>
  withSecrets(async ({ host, open, keyFile }) => {
    const secrets = await open(run)
    await secrets.share()
    assert.is(host.files.text('project.key'), readFileSync(keyFile, 'utf8'))
    assert.is(host.files.mode('project.key'), '600')
  }))

test('two keys: refused, for every service would seem to have changed', () =>
  withSecrets(async ({ host, open }) => {
    const secrets = await open(run)
    host.files.put('project.key', key)
    const { failure } = (await rejects(secrets.share())) as TaskFailure
    assert.equal([failure.reason, failure.subject], ['refused', 'node-1'])
    assert.match(failure.remedy ?? '', 'remove .stagecraft/project.key, and deploy again')
  }))

test('a plan compares under the host’s key and writes nothing', () =>
  withSecrets(async ({ directory, host, open }) => {
    host.files.put('project.key', key)
    const seen = (await open({ online: true, writes: false })).port.digest('TOKEN')
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
    assert.is((await open({ online: true, writes: false }, { STAGECRAFT_PROJECT_KEY: key })).port.digest('TOKEN'), seen)
  }))

test('offline, or with an empty variable as CI has it, a plan still writes nothing', () =>
  withSecrets(async ({ directory, host, open }) => {
    await open({ online: false, writes: false })
    await open({ online: false, writes: false }, { STAGECRAFT_PROJECT_KEY: '' })
    assert.equal(host.calls, [])
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
  }))

test('an empty variable is no key: the host’s is fetched', () =>
  withSecrets(async ({ host, open, keyFile }) => {
    host.files.put('project.key', key)
    await open(run, { STAGECRAFT_PROJECT_KEY: '' })
    assert.is(readFileSync(keyFile, 'utf8').trim(), key)
  }))

test('a project without secrets asks nobody and makes no key', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    const host = new FakeHost('node-1')
    const secrets = await openSecrets(await opened(directory), poolOf(host), testApp(directory).app, run)
    await secrets.share()
    assert.equal([host.calls, existsSync(join(directory, '.stagecraft'))], [[], false])
  }))

// --- history ----------------------------------------------------------------------------------------------------------

const [one, two] = ['rel-20260101-000000001', 'rel-20260102-000000001']

async function withHistory(
  work: (parts: { host: FakeHost; store: ReturnType<typeof createReleaseStore>; history: ReturnType<typeof hostHistory> }) => Promise<void>,
) {
  await inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    const host = new FakeHost('node-1')
    const store = createReleaseStore({ projectDirectory: directory })
    await work({ host, store, history: hostHistory(await opened(directory), poolOf(host), testApp(directory).app) })
  })
}

test('what other machines released is taken in, and goes back with ours', () =>
  withHistory(async ({ host, store, history }) => {
    host.files.put('releases.json', renderHistory({ releases: [release(one)], fields: {} }))
    await history.pull()
    assert.equal(
      (await store.read()).map(({ id }) => id),
      [one],
    )
    await store.update((releases) => [...releases, release(two), release('rel-20260103-000000001', { environment: 'staging' })])
    await history.push()
    const there = JSON.parse(host.files.text('releases.json')) as { releases: { id: string }[] }
    assert.equal(there.releases.map(({ id }) => id).sort(), [one, two], 'only this environment’s')
    assert.is(host.files.mode('releases.json'), '640')
  }))

test('a host without a history changes nothing here; a damaged one is named', () =>
  withHistory(async ({ host, store, history }) => {
    await history.pull()
    assert.equal(await store.read(), [])
    host.files.put('releases.json', '{')
    const damaged = (await rejects(history.pull())) as TaskFailure
    assert.is(damaged.failure.subject, 'node-1:/opt/stagecraft/shop/prod/releases.json')
  }))

test('without a primary host there is nobody to tell', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': 'project: {name: shop}\nenvironments: {prod: {driver: local}}\n' })
    const history = hostHistory(await opened(directory), poolOf(), testApp(directory).app)
    await history.pull()
    await history.push()
  }))

// --- recording --------------------------------------------------------------------------------------------------------

test('a run that finishes no release records none', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    const project = await opened(directory)
    const only = project.graph.only(['render:node-1' as never])
    const recorder = await openRecorder(only, project, testApp(directory).app, () => {}, String)
    recorder.on({ type: 'output', task: only.task(only.order[0] as never), at: 0, line: '' })
    assert.is(await recorder.finish(new Map()), undefined)
    assert.is(await recorder.id(), 'unreleased')
    await rejects(unrecorded.complete({}), /records no release/)
    assert.not.ok(existsSync(join(directory, '.stagecraft')))
  }))

test('a release that cannot be written stops the run', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    writeFileSync(join(directory, '.stagecraft'), 'a file where the folder should be')
    const project = await opened(directory)
    const reasons: Error[] = []
    const recorder = await openRecorder(project.graph, project, testApp(directory).app, (reason) => reasons.push(reason), String).catch(
      (error) => error,
    )
    if (recorder instanceof Error) return assert.match(recorder.message, 'release history')
    recorder.on({ type: 'started', task: project.graph.task('upload:node-1' as never), at: 0, because: { reason: 'absent', detail: '' } })
    await rejects(recorder.finish(new Map()), /release history/)
    assert.is(reasons.length, 1)
  }))

test('a rollback is recorded as one: where from, where to, why without secrets, and what was left out', () =>
  inTemporaryDirectory(async (directory) => {
    writeProject(directory)
    const rollback = { from: 'rel-2', to: 'rel-1', reason: 'hunter2 leaked', notices: [] }
    const project = { ...(await opened(directory)), rollback }
    const only = project.graph.only(['finalize:prod' as never])
    const hide = (text: string) => text.replace('hunter2', '***')
    const recorder = await openRecorder(only, project, testApp(directory).app, (reason) => assert.unreachable(reason.message), hide)
    recorder.on({ type: 'started', task: only.task('upload:node-1' as never), at: 0, because: { reason: 'absent', detail: '' } })
    const made = await recorder.finish(new Map())
    assert.equal([made?.kind, made?.rolled_back_from, made?.rollback_target, made?.reason], ['rollback', 'rel-2', 'rel-1', '*** leaked'])
    assert.is(made?.phase_details?.migrate_post?.reason, 'rollback')
    assert.match(made?.compose_hash ?? '', /^[0-9a-f]{64}$/)
  }))

// --- databases --------------------------------------------------------------------------------------------------------

const databases = 'databases: {main: {connection_env: DATABASE_URL, service: db, migrations: {path: migrations}}}\n'

async function openThrough(host: FakeHost, config = `${leastManifest}${databases}`): Promise<TaskFailure> {
  let failure: TaskFailure | undefined
  await inTemporaryDirectory(async (directory) => {
    writeProject(directory, { 'stagecraft.yml': config, 'docker-compose.yml': 'services: {web: {image: nginx}, db: {image: postgres}}\n' })
    const secrets = memorySecrets({ DATABASE_URL: 'postgres://shop:hunter22@db:5432/shop' })
    failure = (await rejects(within(5000, openDatabase('main', await opened(directory), secrets, poolOf(host))))) as TaskFailure
    assert.not.match(JSON.stringify(failure.failure), 'hunter22')
    await rejects(openDatabase('other', await opened(directory), secrets, poolOf(host)), /no database is called other/)
  })
  if (!failure) throw new Error('it opened')
  return failure
}

/** Every tunnel ends in nothing. */
class TunnelHost extends FakeHost {
  override async connect(address: string, port: number): Promise<never> {
    this.calls.push(`connect ${address}:${port}`)
    throw new Error('refused')
  }
}

test('a database of ours is reached at its container’s address', async () => {
  const host = new TunnelHost('node-1')
  host.engine.add({ name: 'web-1', address: '10.0.0.1' })
  host.engine.add({ name: 'db-1', state: 'exited' })
  host.engine.add({ name: 'db-2', address: '10.0.0.9' })
  await openThrough(host)
  assert.ok(host.calls.includes('connect 10.0.0.9:5432'))
})

test('a database whose container does not run says so', async () => {
  const failure = await openThrough(new TunnelHost('node-1'))
  assert.match(`${failure.message} ${JSON.stringify(failure.failure)}`, 'no container of db runs on node-1')
})

test('a database elsewhere is reached by its own name, as the host sees it', async () => {
  const host = new TunnelHost('node-1')
  await openThrough(host, `${leastManifest}${databases.replace('service: db', 'via: node-1')}`)
  assert.ok(host.calls.includes('connect db:5432'))
})

test.run()
