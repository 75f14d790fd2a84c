/** Back and forward again on real hosts: by digest, from another checkout, and onto hosts that have forgotten the image. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Fleet } from '../support/fleet.ts'
import { labSuite } from '../support/lab-suite.ts'

interface Recorded {
  readonly id: string
  readonly kind: string
  readonly version: string
  readonly commit_sha: string
  readonly status: string
  readonly images?: Readonly<Record<string, { readonly digest: string }>>
  readonly rolled_back_from?: string
  readonly rollback_target?: string
  readonly reason?: string
  readonly phase_details?: Readonly<Record<string, { readonly reason?: string }>>
}

const suite = await labSuite('e2e/rollback', 3)
const { test } = suite
let fleet: Fleet
let elsewhere = ''

test.before(() => {
  fleet = new Fleet(suite.lab())
  elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'))
})
test.after(() => {
  rmSync(elsewhere, { recursive: true, force: true })
  fleet.remove()
})

const everywhere = (version: string) => ['node-1', 'node-2', 'node-3'].map((host) => `${host} ${version} ${version}`)
const history = async (): Promise<readonly Recorded[]> => {
  const { stdout } = await fleet.run(['releases', 'list', '--format', 'json'])
  return (JSON.parse(stdout) as { releases: readonly Recorded[] }).releases
}
/** Ids of tasks that ran, from the events. */
const ranIn = (stdout: string): readonly string[] =>
  stdout.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    const event = JSON.parse(line) as { type?: string; event?: string; id?: string; task?: string }
    return (event.type ?? event.event) === 'started' ? [String(event.id ?? event.task)] : []
  })
const audit = async (): Promise<readonly string[]> => {
  const { stdout, code, stderr } = await fleet.run(['releases', 'audit', '--env', 'prod', '--format', 'json'])
  assert.is(code, 0, stderr)
  const { entries } = JSON.parse(stdout) as { entries: readonly { what: string; result: string; who: { user: string } }[] }
  return entries.map(({ what, result }) => `${what} ${result}`)
}

test('back to v1: the digests of v1, no build and no push, recorded as a rollback', async () => {
  assert.is((await fleet.deploy(['--version', 'v1'])).code, 0)
  fleet.release('2')
  const newer = await fleet.deploy(['--version', 'v2'])
  assert.is(newer.code, 0, newer.stderr + newer.stdout)
  assert.equal(fleet.versions(), everywhere('2'))
  const { code, stdout, stderr } = await fleet.run([
    ...['rollback', '--env', 'prod', '--to-previous', '--reason', 'orders fail', '--format', 'json'],
  ])
  assert.is(code, 0, stderr + stdout)
  assert.equal(fleet.versions(), everywhere('1'))
  assert.equal(
    ranIn(stdout).filter((id) => /^(build|push|migrate_pre):/.test(id)),
    [],
  )
  const [back, second, first] = await history()
  assert.equal([back?.kind, back?.version, back?.status, back?.reason], ['rollback', 'v1', 'completed', 'orders fail'])
  assert.equal([back?.rolled_back_from, back?.rollback_target], [second?.id, first?.id])
  assert.equal(back?.images, first?.images)
  assert.is(back?.phase_details?.['build']?.reason, 'reuse_image')
  assert.is(back?.phase_details?.['migrate_pre']?.reason, 'rollback')
})

test('a rollback of the rollback goes forward again, and a dry run before it writes nothing', async () => {
  const before = await history()
  const dry = await fleet.run(['rollback', '--env', 'prod', '--to-previous', '--dry-run'])
  assert.is(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, new RegExp(`Roll back to:? +${before[1]?.id}`))
  assert.match(dry.stdout, /pin:app/)
  assert.equal(await history(), before)
  const forward = await fleet.run(['rollback', '--env', 'prod', '--to-previous'])
  assert.is(forward.code, 0, forward.stderr)
  assert.equal(fleet.versions(), everywhere('2'))
})

test('from another checkout without state, onto hosts that removed the image', async () => {
  const digest = (await history()).find(({ version }) => version === 'v1')?.images?.['app']?.digest ?? ''
  for (const host of ['node-1', 'node-2']) {
    const names = fleet.on(host, 'docker', 'images', '--digests', '--format', '{{.Repository}} {{.Digest}} {{.ID}}').split('\n')
    const image = names.find((line) => line.includes(digest))?.split(' ')[2]
    if (image !== undefined) fleet.on(host, 'docker', 'image', 'rm', '--force', image)
  }
  cpSync(fleet.directory, elsewhere, { recursive: true })
  rmSync(join(elsewhere, '.stagecraft'), { recursive: true, force: true })
  const { code, stdout, stderr } = await fleet.run(['rollback', '--env', 'prod', '--to-version', 'v1'], { cwd: elsewhere })
  assert.is(code, 0, stderr + stdout)
  assert.equal(fleet.versions(), everywhere('1'))
})

test('a deploy after rollbacks is a deploy like any other', async () => {
  const { code, stdout, stderr } = await fleet.deploy(['--version', 'v2'])
  assert.is(code, 0, stderr + stdout)
  assert.equal(fleet.versions(), everywhere('2'))
})

test('an image nobody has any more: exit 2, what to do, and nothing changed', async () => {
  const first = (await history()).find(({ version }) => version === 'v1')
  const lost = `sha256:${'0'.repeat(64)}`
  fleet.edit('.stagecraft/releases.json', (text) => {
    const file = JSON.parse(text) as { releases: { id: string; updated_at: string; images: Record<string, { digest: string }> }[] }
    for (const release of file.releases)
      if (release.id === first?.id && release.images['app']) {
        release.images['app'].digest = lost
        release.updated_at = '2999-01-01T00:00:00.000Z'
      }
    return JSON.stringify(file)
  })
  const before = await history()
  const { code, stdout, stderr } = await fleet.run(['rollback', '--env', 'prod', '--to-release', first?.id ?? ''])
  assert.is(code, 2, stderr + stdout)
  assert.match(stdout + stderr, /the registry does not have it any more, and it is not on node-1, node-2, node-3; nothing was changed/)
  assert.match(stdout + stderr, /stagecraft deploy --version v1/)
  assert.equal(fleet.versions(), everywhere('2'))
  assert.is((await history()).length, before.length)
})

test('the lock of a holder that died is shown and given back', async () => {
  const lock = JSON.stringify({
    owner: 'dead',
    fence: 3,
    description: 'ci@runner pid 9',
    machine: 'gone',
    pid: 9,
    startedAt: '2026-01-02T03:04:05.000Z',
  })
  fleet.on('node-2', 'ln', '-s', lock, `${fleet.remoteDirectory}/lock`)
  fleet.on('node-2', 'touch', '-h', '-d', '2026-01-02T03:04:05Z', `${fleet.remoteDirectory}/lock`)
  const { code, stdout, stderr } = await fleet.run(['releases', 'unlock', '--env', 'prod', '--yes'])
  assert.is(code, 0, stderr + stdout)
  assert.match(stdout, /node-2 +ci@runner pid 9/)
  assert.throws(() => fleet.on('node-2', 'readlink', `${fleet.remoteDirectory}/lock`))
})

test('the lock of one that lives stays, unless it is taken by force', async () => {
  const lock = JSON.stringify({
    owner: 'alive',
    fence: 3,
    description: 'anna@laptop pid 9',
    machine: 'else',
    pid: 9,
    startedAt: '2026-01-02T03:04:05.000Z',
  })
  fleet.on('node-2', 'ln', '-s', lock, `${fleet.remoteDirectory}/lock`)
  fleet.on('node-2', 'touch', `${fleet.remoteDirectory}/lock.beat.alive`)
  const { code, stdout } = await fleet.run(['releases', 'unlock', '--env', 'prod', '--host', 'node-2'])
  assert.is(code, 2, stdout)
  assert.match(fleet.on('node-2', 'readlink', `${fleet.remoteDirectory}/lock`), /alive/)
  const taken = await fleet.run(['releases', 'unlock', '--env', 'prod', '--host', 'node-2', '--force'])
  assert.is(taken.code, 0, taken.stderr + taken.stdout)
  assert.throws(() => fleet.on('node-2', 'readlink', `${fleet.remoteDirectory}/lock`))
})

test('everything is in the audit, whose chain holds; a line that is edited is named', async () => {
  const lines = (await audit()).filter((line) => !line.endsWith(' begun'))
  assert.equal(
    lines.filter((line) => /^(deploy|rollback) /.test(line)),
    ['deploy done', 'deploy done', 'rollback done', 'rollback done', 'rollback done', 'deploy done'],
  )
  assert.is(lines.filter((line) => line.startsWith('unlock ')).length, 2)
  assert.is((await fleet.run(['releases', 'audit', '--env', 'prod', '--verify'])).code, 0)
  fleet.on('node-1', 'sed', '-i', '2s/"done"/"failed"/', `${fleet.remoteDirectory}/audit.jsonl`)
  const edited = await fleet.run(['releases', 'audit', '--env', 'prod', '--verify'])
  assert.is(edited.code, 2, edited.stdout)
  assert.match(edited.stdout + edited.stderr, /line 3/)
})

suite.run()
