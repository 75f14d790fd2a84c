import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { allPhases, type Release } from '../../../src/releases/release.ts'
import { chooseRollback, ineligible, migratedSince, type RollbackWish, rollbackCandidates } from '../../../src/releases/rollback-target.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/rollback-target')

const id = (number: number) => `rel-20260102-0304050${String(number).padStart(2, '0')}`
const good = (number: number, fields: Partial<Release> = {}) => release(id(number), { version: `v${number}`, ...fields })
const failed = (number: number, fields: Partial<Release> = {}) =>
  good(number, { phases: { ...allPhases('completed'), rollout: 'failed', finalize: 'skipped' }, undone: 'whole', ...fields })
const build = (number: number) => good(number, { kind: 'build', phases: { ...allPhases('skipped'), build: 'completed' } })
const partial = (number: number) => good(number, { partial: true })
const skipped = (number: number) =>
  good(number, {
    phases: { ...allPhases('completed'), build: 'skipped', migrate_pre: 'skipped' },
    phase_details: { build: { reason: 'reuse_image' }, migrate_pre: { reason: 'not_configured' } },
  })
const running = (number: number) =>
  good(number, { phases: { ...allPhases('completed'), rollout: 'running', finalize: 'pending' }, finished: false })
const rollback = (number: number, from: number, to: number) =>
  good(number, { kind: 'rollback', version: `v${to}`, rolled_back_from: id(from), rollback_target: id(to) })

const previous: RollbackWish = { by: 'previous' }
const to = (number: number): RollbackWish => ({ by: 'release', id: id(number) })
const version = (text: string): RollbackWish => ({ by: 'version', version: text })

const commit = 'abcdef0123456789abcdef0123456789abcdef01'

/** What a wish leads to: the number of a release, and of those passed over; or the code of why not. */
const table: readonly (readonly [title: string, history: readonly Release[], wish: RollbackWish, expected: string])[] = [
  ['the one before', [good(1), good(2)], previous, '1'],
  ['the one before, of three', [good(1), good(2), good(3)], previous, '2'],
  ['order in the file does not matter', [good(3), good(1), good(2)], previous, '2'],
  ['nothing was ever released', [], previous, 'SC3155'],
  ['only failures', [failed(1), failed(2)], previous, 'SC3155'],
  ['a first release has none before it', [good(1)], previous, 'SC3155'],
  ['the predecessor failed', [good(1), failed(2), good(3)], previous, '1 passing 2'],
  ['a build in between', [good(1), build(2), good(3)], previous, '1 passing 2'],
  ['a part of the fleet in between', [good(1), partial(2), good(3)], previous, '1 passing 2'],
  ['skipped phases count as fine', [skipped(1), good(2)], previous, '1'],
  ['after a part of the fleet, to the whole release under it', [good(1), good(2), partial(3)], previous, '2'],
  ['a later failure that was taken back whole changes nothing', [good(1), good(2), failed(3)], previous, '1'],
  ['a later failure that left hosts behind: to what was live', [good(1), good(2), failed(3, { undone: 'partly' })], previous, '2'],
  ['so does one that was killed', [good(1), good(2), crashed(3)], previous, '2'],
  ['a failure before its rollout leaves nothing behind', [good(1), good(2), unbuilt(3)], previous, '1'],
  ['two in a row toggle', [good(1), good(2), rollback(3, 2, 1)], previous, '2'],
  ['and back again', [good(1), good(2), rollback(3, 2, 1), rollback(4, 3, 2)], previous, '3'],
  ['other environments do not count', [good(1, { environment: 'staging' }), good(2)], previous, 'SC3155'],
  ['a release by its id', [good(1), good(2), good(3)], to(1), '1'],
  ['a rollback by its id', [good(1), good(2), rollback(3, 2, 1), good(4)], to(3), '3'],
  ['no such release', [good(1), good(2)], to(7), 'SC3151'],
  ['of another environment', [good(1, { environment: 'staging' }), good(2)], to(1), 'SC3152'],
  ['the current one', [good(1), good(2)], to(2), 'SC3153'],
  ['the current one after a failure that left hosts behind', [good(1), good(2), failed(3, { undone: 'partly' })], to(2), '2'],
  ['a failed one', [failed(1), good(2)], to(1), 'SC3154'],
  ['a build', [build(1), good(2)], to(1), 'SC3154'],
  ['a part', [partial(1), good(2)], to(1), 'SC3154'],
  ['one that has not ended', [good(1), running(2)], to(2), 'SC3154'],
  ['without a current release', [good(1, { phases: { ...allPhases('completed') } }), failed(2)].slice(1), to(2), 'SC3154'],
  ['a version', [good(1), good(2), good(3)], version('v1'), '1'],
  ['the newest of a version', [good(1), good(2, { version: 'v1' }), good(3)], version('v1'), '2'],
  ['the newest good one of a version', [good(1), failed(2, { version: 'v1' }), good(3)], version('v1'), '1'],
  ['the version that is live', [good(1), good(2)], version('v2'), 'SC3153'],
  ['a version that only failed', [failed(1), good(2)], version('v1'), 'SC3154'],
  ['no such version', [good(1), good(2)], version('v7'), 'SC3151'],
  ['a commit cut short', [good(1, { version: commit }), good(2)], version(commit.slice(0, 12)), '1'],
  [
    'a commit cut so short that it may be two',
    [good(1, { version: commit }), good(2, { version: `${commit.slice(0, 20)}${'0'.repeat(20)}` }), good(3)],
    version(commit.slice(0, 8)),
    'SC3151',
  ],
]

function crashed(number: number): Release {
  return good(number, {
    phases: { ...allPhases('completed'), rollout: 'failed', finalize: 'skipped' },
    phase_details: { rollout: { reason: 'crashed' }, finalize: { reason: 'upstream_failed' } },
  })
}

function unbuilt(number: number): Release {
  return good(number, { phases: { ...allPhases('skipped'), build: 'failed' }, phase_details: { rollout: { reason: 'upstream_failed' } } })
}

for (const [title, history, wish, expected] of table) {
  test(title, () => {
    const chosen = chooseRollback(history, 'prod', wish)
    const number = (found: Release) => String(Number(found.id.slice(-2)))
    const passing =
      chosen.ok && chosen.value.passed.length > 0 ? ` passing ${chosen.value.passed.map(({ release: one }) => number(one)).join(' ')}` : ''
    assert.is(chosen.ok ? `${number(chosen.value.target)}${passing}` : chosen.diagnostics[0]?.code, expected)
  })
}

test('a refusal says why, and what could be gone back to', () => {
  const chosen = chooseRollback([good(1), failed(2), good(3)], 'prod', to(2))
  assert.not(chosen.ok)
  if (chosen.ok) return
  assert.match(chosen.diagnostics[0]?.message ?? '', /\(v2\) cannot be rolled back to: it failed/)
  assert.match(chosen.diagnostics[0]?.notes?.[0]?.message ?? '', new RegExp(`${id(3)} \\(v3\\), ${id(1)} \\(v1\\)`))
})

test('candidates are all good ones but the live one', () => {
  const ids = rollbackCandidates([good(1), failed(2), partial(3), skipped(4), good(5)], 'prod').map((one) => one.id)
  assert.equal(ids, [id(4), id(1)])
})

test('one that has all its phases but was never finished is not eligible', () => {
  assert.is(ineligible(good(1, { phases: { ...allPhases('completed'), finalize: 'skipped' } })), 'it was never finished')
})

test('migrations since the target: those that ran or broke off, not those that had nothing to do', () => {
  const history = [
    good(1),
    good(2),
    good(3, { phase_details: { migrate_pre: { cached: true }, migrate_post: { cached: true } } }),
    rollback(4, 3, 2),
    failed(5),
  ].map((one) =>
    one.kind === 'rollback' ? { ...one, phases: { ...allPhases('completed'), migrate_pre: 'skipped', migrate_post: 'skipped' } } : one,
  ) as Release[]
  assert.equal(
    migratedSince(history, good(1)).map((one) => one.id),
    [id(2), id(5)],
  )
})

test.run()
