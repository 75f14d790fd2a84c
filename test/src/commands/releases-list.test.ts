import { writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as command from '../../../src/commands/releases-list.ts'
import type { CommandModule, GlobalOptions } from '../../../src/contracts.ts'
import { allPhases, type Release } from '../../../src/releases/release.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { rejects } from '../../support/assertions.ts'
import { golden } from '../../support/golden.ts'
import { release } from '../../support/releases.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { globals, testApp } from '../../support/test-app.ts'

const test = suite('src/commands/releases-list')
const asModule: CommandModule = command as unknown as CommandModule

const history = [
  release('rel-20260101-101010000', { version: '77ab901', phases: { ...allPhases('completed'), migrate_post: 'skipped' } }),
  release('rel-20260102-030405678', { version: '9f1c2e7', phases: { ...allPhases('completed'), rollout: 'failed' } }),
  release('rel-20260103-000000000', {
    environment: 'dev',
    version: 'a-branch-with-a-long-name',
    timestamp: '2026-01-03T02:00:00.000+02:00',
  }),
]

async function list(
  input: Readonly<Record<string, unknown>> = {},
  options: {
    readonly globals?: Partial<GlobalOptions>
    readonly env?: Readonly<Record<string, string>>
    readonly releases?: readonly Release[]
  } = {},
): Promise<string> {
  return inTemporaryDirectory(async (directory) => {
    const releases = options.releases ?? history
    if (releases.length > 0) await createReleaseStore({ projectDirectory: directory }).update(() => releases)
    const { app, stdout } = testApp(directory, options.env)
    assert.is(await asModule.run(command.options.parse(input), { ...globals, ...options.globals }, app), 0)
    return stdout()
  })
}

test('lists all environments, each newest first, in columns as wide as they need, without a manifest', async () => {
  assert.is(
    await list(),
    [
      'RELEASE ID              ENVIRONMENT  VERSION                    TIMESTAMP            STATUS',
      'rel-20260103-000000000  dev          a-branch-with-a-long-name  2026-01-03 00:00:00  completed',
      'rel-20260102-030405678  prod         9f1c2e7                    2026-01-02 03:04:05  failed',
      'rel-20260101-101010000  prod         77ab901                    2026-01-01 10:10:10  completed',
      '',
    ].join('\n'),
  )
})

test('a typed environment filters, and needs no column', async () => {
  assert.is(
    await list({}, { globals: { env: 'prod' } }),
    [
      'RELEASE ID              VERSION  TIMESTAMP            STATUS',
      'rel-20260102-030405678  9f1c2e7  2026-01-02 03:04:05  failed',
      'rel-20260101-101010000  77ab901  2026-01-01 10:10:10  completed',
      '',
    ].join('\n'),
  )
})

test('an environment from the variable hides nothing', async () => {
  const text = await list({}, { globals: { env: 'prod' }, env: { STAGECRAFT_ENV: 'prod' } })
  assert.match(text, /ENVIRONMENT[\s\S]*dev/)
  assert.not.match(await list({}, { globals: { env: 'prod' }, env: { STAGECRAFT_ENV: 'dev' } }), /dev/)
})

test('nothing to list is one line, and an unknown environment no error', async () => {
  assert.is(await list({}, { releases: [] }), 'no releases\n')
  assert.is(await list({}, { globals: { env: 'nowhere' } }), 'no releases of nowhere\n')
})

test('status and limit choose among the newest', async () => {
  assert.equal((await list({ status: 'completed', limit: 1 })).match(/rel-\S+/g), ['rel-20260103-000000000'])
  assert.equal((await list({ status: 'failed' })).match(/rel-\S+/g), ['rel-20260102-030405678'])
  assert.equal((await list({ limit: 2 })).match(/rel-\S+/g), ['rel-20260103-000000000', 'rel-20260102-030405678'])
})

test('JSON holds each release as stored, with its status, and parses when there is none', async () => {
  const parsed = JSON.parse(await list({ format: 'json' }, { globals: { env: 'prod' } })) as {
    releases: readonly Record<string, unknown>[]
  }
  assert.equal(parsed.releases[0], { ...history[1], status: 'failed' })
  assert.equal(JSON.parse(await list({ format: 'json' }, { releases: [] })), { releases: [] })
})

test('its whole output, as text and as JSON', async () => {
  golden('releases/list.txt', await list())
  golden('releases/list-of-one-environment.txt', await list({}, { globals: { env: 'prod' } }))
  golden('releases/list.json', await list({ format: 'json' }))
})

test('a release whose process is gone is shown as failed, and the file is not touched', async () => {
  const owner = { host: hostname(), pid: 2 ** 22 + 1, start: '' }
  const ghost = release('rel-20260101-000000000', { phases: { ...allPhases('pending'), build: 'running' }, finished: false, owner })
  const text = await list({}, { releases: [ghost] })
  assert.match(text, /failed$/m)
  assert.not.match(await list({ format: 'json' }, { releases: [ghost] }), /owner/)
})

test('the history may be elsewhere', () =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'history.json'), JSON.stringify({ releases: history.slice(0, 1) }))
    const { app, stdout } = testApp(directory, { STAGECRAFT_STATE_FILE: join(directory, 'history.json') })
    await asModule.run(command.options.parse({}), globals, app)
    assert.match(stdout(), /rel-20260101-101010000/)
  }))

test('a damaged history is a failure, not an empty list', () =>
  inTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, 'history.json'), '{')
    const { app } = testApp(directory, { STAGECRAFT_STATE_FILE: 'history.json' })
    await rejects(asModule.run(command.options.parse({}), globals, app), /damaged/)
  }))

test('flags are checked: no negative limit, no unknown status', () => {
  assert.not.ok(command.options.safeParse({ limit: 0 }).success)
  assert.not.ok(command.options.safeParse({ status: 'done' }).success)
})

test.run()
