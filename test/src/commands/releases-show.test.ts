import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as command from '../../../src/commands/releases-show.ts'
import { type CommandModule, InputError } from '../../../src/contracts.ts'
import { allPhases, type Release } from '../../../src/releases/release.ts'
import { createReleaseStore } from '../../../src/releases/store.ts'
import { rejects } from '../../support/assertions.ts'
import { golden } from '../../support/golden.ts'
import { release } from '../../support/releases.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { globals, testApp } from '../../support/test-app.ts'

const test = suite('src/commands/releases-show')
const asModule: CommandModule = command as unknown as CommandModule

const id = 'rel-20260102-030405678'
const failed = release(id, {
  version: '9f1c2e7',
  commit_sha: '9f1c2e7c0ffee',
  previous_id: 'rel-20260101-101010000',
  phases: { ...allPhases('completed'), migrate_pre: 'skipped', rollout: 'failed', migrate_post: 'skipped', finalize: 'skipped' },
  phase_details: {
    build: { cached: true },
    migrate_pre: { reason: 'not_configured' },
    rollout: { error: 'api on node-2: unhealthy after 90 s\nlast probe: 503', error_class: 'unhealthy' },
    migrate_post: { reason: 'upstream_failed' },
    finalize: { reason: 'upstream_failed' },
  },
  images: {
    web: { ref: 'registry.example.com/web:9f1c2e7', digest: 'sha256:2' },
    api: { ref: 'registry.example.com/api:9f1c2e7', digest: 'sha256:1' },
  },
})

async function show(found: Release, input: Readonly<Record<string, unknown>> = {}, verbose = false): Promise<string> {
  return inTemporaryDirectory(async (directory) => {
    await createReleaseStore({ projectDirectory: directory }).update(() => [found])
    const { app, stdout } = testApp(directory)
    const wanted = { ...command.arguments.parse({ id }), ...command.options.parse(input) }
    assert.is(await asModule.run(wanted, { ...globals, verbose }, app), 0)
    return stdout()
  })
}

test('shows the release, its six phases in order with reasons, and its images', async () => {
  assert.is(
    await show(failed),
    `Release:      rel-20260102-030405678
Kind:         deploy
Environment:  prod
Version:      9f1c2e7
Commit:       9f1c2e7c0ffee
Timestamp:    2026-01-02T03:04:05.678Z
Status:       failed
Previous:     rel-20260101-101010000
Phases:
  build         completed (cached)
  push          completed
  migrate_pre   skipped (not_configured)
  rollout       failed: api on node-2: unhealthy after 90 s
  migrate_post  skipped (upstream_failed)
  finalize      skipped (upstream_failed)
Images:
  api  registry.example.com/api:9f1c2e7 sha256:1
  web  registry.example.com/web:9f1c2e7 sha256:2
`,
  )
})

test('what is not known is N/A, and a rollback says from where to where', async () => {
  const text = await show(release(id, { kind: 'rollback', rolled_back_from: 'rel-b', rollback_target: 'rel-a' }))
  assert.match(text, /^Commit: +N\/A$/m)
  assert.match(text, /^Previous: +N\/A$/m)
  assert.match(text, /^Rolled back from: +rel-b$/m)
  assert.match(text, /^Rolled back to: +rel-a$/m)
  assert.not.match(text, /Images/)
})

test('verbose shows all of an error', async () => {
  assert.match(await show(failed, {}, true), /90 s\n {6}last probe: 503\n/)
})

test('JSON is the release as stored, with its status', async () => {
  assert.equal(JSON.parse(await show(failed, { format: 'json' })), { ...failed, status: 'failed' })
})

test('its whole output, as text, at length, and as JSON', async () => {
  golden('releases/show.txt', await show(failed))
  golden('releases/show-verbose.txt', await show(failed, {}, true))
  golden('releases/show.json', await show(failed, { format: 'json' }))
})

test('an unknown id is an input error that names it', () =>
  inTemporaryDirectory(async (directory) => {
    const { app } = testApp(directory)
    const error = await rejects(asModule.run({ id: 'rel-x', format: 'text' }, globals, app), /there is no release `rel-x`/)
    assert.instance(error, InputError)
  }))

test('exactly one id is taken', () => {
  assert.not.ok(command.arguments.safeParse({}).success)
})

test.run()
