import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { phases } from '../../../graph/types.ts'
import {
  advance,
  allPhases,
  byEnvironment,
  crashed,
  currentRelease,
  nextReleaseId,
  overallStatus,
  type PhaseStatus,
  type Release,
  releaseTimeMs,
  transition,
} from '../../../src/releases/release.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/release')
const now = new Date('2026-01-02T03:04:05.678Z')
const fresh = release('rel-20260102-030405678', { phases: allPhases('pending'), finished: false, owner: { host: 'a', pid: 1, start: '' } })

test('an id is the moment in UTC, to the millisecond, whatever the time zone of the machine', () => {
  const zone = process.env['TZ']
  process.env['TZ'] = 'Pacific/Kiritimati'
  try {
    assert.is(nextReleaseId(now, undefined), 'rel-20260102-030405678')
  } finally {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
})

test('ids grow even when the clock stands still, goes back, or the last one has no milliseconds', () => {
  assert.is(nextReleaseId(now, 'rel-20260102-030405678'), 'rel-20260102-030405679')
  assert.is(nextReleaseId(now, 'rel-20261231-235959999'), 'rel-20270101-000000000')
  assert.is(nextReleaseId(now, 'rel-20260102-030406'), 'rel-20260102-030406001')
  assert.is(nextReleaseId(now, 'not-an-id'), 'rel-20260102-030405678')
})

test('the order of ids is the order of time', () => {
  const moment = fc.integer({ min: 0, max: Date.parse('2099-12-31') })
  fc.assert(
    fc.property(moment, moment, (first, second) => {
      const a = nextReleaseId(new Date(first), undefined)
      const b = nextReleaseId(new Date(second), a)
      assert.ok(a < b)
      assert.is(releaseTimeMs(b), Math.max(first + 1, second))
    }),
  )
})

const steps: readonly (readonly [PhaseStatus, PhaseStatus])[] = [
  ['pending', 'running'],
  ['pending', 'skipped'],
  ['running', 'completed'],
  ['running', 'failed'],
]

for (const from of ['pending', 'running', 'completed', 'failed', 'skipped'] as const) {
  for (const to of ['pending', 'running', 'completed', 'failed', 'skipped'] as const) {
    const isAllowed = steps.some(([a, b]) => a === from && b === to)
    test(`a phase ${isAllowed ? 'may' : 'cannot'} go from ${from} to ${to}`, () => {
      const before = { ...fresh, phases: { ...fresh.phases, push: from } }
      if (isAllowed) assert.is(transition(before, 'push', to).phases.push, to)
      else assert.throws(() => transition(before, 'push', to), /phase push of rel-20260102-030405678 cannot go from/)
      assert.is(before.phases.push, from)
    })
  }
}

test('advancing passes through running, and staying put is no step', () => {
  assert.is(advance(fresh, 'build', 'completed', { cached: true }).phases.build, 'completed')
  assert.equal(advance(fresh, 'build', 'completed', { cached: true }).phase_details, { build: { cached: true } })
  assert.is(advance(fresh, 'build', 'pending'), fresh)
  assert.throws(() => advance(advance(fresh, 'build', 'completed'), 'build', 'running'))
})

const benign = {
  phases: { ...allPhases('completed'), migrate_pre: 'skipped' as const },
  phase_details: { migrate_pre: { reason: 'not_configured' as const } },
}
const cutShort = {
  phases: { ...allPhases('completed'), finalize: 'skipped' as const },
  phase_details: { finalize: { reason: 'upstream_failed' as const } },
}
const overall: readonly (readonly [name: string, fields: Partial<Release>, expected: string])[] = [
  ['all phases completed', {}, 'completed'],
  ['a phase without tasks skipped (D33)', benign, 'completed'],
  ['a skipped phase in an old file, which has no reasons', { phases: benign.phases }, 'completed'],
  ['a phase failed', { phases: { ...allPhases('completed'), rollout: 'failed' } }, 'failed'],
  ['the tail skipped after a failure', cutShort, 'failed'],
  ['nothing begun', { phases: allPhases('pending'), finished: false }, 'pending'],
  ['one phase running', { phases: { ...allPhases('pending'), build: 'running' }, finished: false }, 'running'],
  ['between two phases', { phases: { ...allPhases('pending'), build: 'completed' }, finished: false }, 'running'],
]

for (const [name, fields, expected] of overall) {
  test(`with ${name} the release is ${expected}`, () => assert.is(overallStatus(release('rel-20260102-030405678', fields)), expected))
}

test('the current release is the newest that was finalized, never a build or a failed one (D9)', () => {
  const failed = { phases: { ...allPhases('completed'), rollout: 'failed', finalize: 'skipped' } } as const
  const history = [
    release('rel-20260101-000000000', { version: 'v1' }),
    release('rel-20260103-000000000', { version: 'v2', kind: 'rollback' }),
    release('rel-20260102-000000000', { version: 'old' }),
    release('rel-20260104-000000000', failed),
    release('rel-20260105-000000000', { kind: 'build' }),
    release('rel-20260106-000000000', { environment: 'staging' }),
  ]
  assert.is(currentRelease(history, 'prod')?.version, 'v2')
  assert.is(currentRelease(history, 'dev'), undefined)
})

test('releases are ordered by environment, then newest first', () => {
  const history = [
    release('rel-20260101-000000000', { environment: 'staging' }),
    release('rel-20260102-000000000'),
    release('rel-20260103-000000000'),
  ]
  assert.equal(
    byEnvironment(history).map(({ id }) => id.slice(4, 12)),
    ['20260103', '20260102', '20260101'],
  )
})

test('a crash fails the running phase, skips the rest, and ends the release (D14)', () => {
  const running = transition(advance(fresh, 'build', 'completed'), 'push', 'running')
  const settled = crashed(running, now)
  assert.equal(Object.values(settled.phases), ['completed', 'failed', 'skipped', 'skipped', 'skipped', 'skipped'])
  assert.equal(settled.phase_details?.push, { reason: 'crashed' })
  assert.ok(settled.finished)
  assert.is(settled.owner, undefined)
  assert.is(settled.updated_at, now.toISOString())
})

test('a crash between two phases fails the next one', () => {
  const settled = crashed(advance(fresh, 'build', 'completed'), now)
  assert.equal(Object.values(settled.phases), ['completed', 'failed', 'skipped', 'skipped', 'skipped', 'skipped'])
  assert.is(overallStatus(settled), 'failed')
})

test('whatever a crash finds, it settles every phase', () => {
  const status = fc.constantFrom<PhaseStatus>('pending', 'running', 'completed', 'failed', 'skipped')
  fc.assert(
    fc.property(fc.tuple(status, status, status, status, status, status), (statuses) => {
      const found = Object.fromEntries(phases.map((phase, index) => [phase, statuses[index]])) as Release['phases']
      const settled = crashed({ ...fresh, phases: found }, now)
      assert.not.ok(Object.values(settled.phases).some((phase) => phase === 'pending' || phase === 'running'))
    }),
  )
})

test.run()
