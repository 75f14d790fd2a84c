import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Outcome, type Phase, phases, type Task, type TaskId } from '../../../graph/types.ts'
import type { RunEvent } from '../../../src/contracts.ts'
import { parseHistory } from '../../../src/releases/history-file.ts'
import { createRecorder, type Recorder, type RecorderOptions } from '../../../src/releases/recorder.ts'
import { allPhases, overallStatus, type Release } from '../../../src/releases/release.ts'
import type { ReleaseStore } from '../../../src/releases/store.ts'
import { TaskFailure } from '../../../tasks/kind.ts'
import { rejects, within } from '../../support/assertions.ts'
import { release } from '../../support/releases.ts'

const test = suite('src/releases/recorder')

const now = new Date('2026-01-02T03:04:05.678Z')
const result = { files: {}, values: {} }
const ran: Outcome = { status: 'ran', result, because: { reason: 'first-run', detail: '' } }
const fresh: Outcome = { status: 'skipped', result, from: 'target' }
const failed: Outcome = { status: 'failed', failure: { reason: 'unhealthy', subject: 'api on node-2', message: 'unhealthy after 90 s' } }
const interrupted: Outcome = { status: 'failed', failure: { reason: 'interrupted', subject: 'push:api', message: 'interrupted' } }
const canceled: Outcome = { status: 'canceled', by: 'signal' }

/** Kind is the phase, but for `render`, which belongs to none. */
function task(id: string): Task {
  return { id: id as TaskId, kind: id.split(':')[0] ?? '', params: null, needs: [], after: [] }
}
const tasks = ['build:api', 'push:api', 'render:node-1', 'rollout:api@node-1', 'rollout:web@node-1', 'finalize:prod'].map(task)

/** A history in memory that counts its writes. */
function memoryStore(initial: readonly Release[] = []): ReleaseStore & { releases: readonly Release[]; writes: number; broken?: Error } {
  const store: ReturnType<typeof memoryStore> = {
    path: 'releases.json',
    releases: initial,
    writes: 0,
    read: async () => store.releases,
    update: async (change) => {
      await Promise.resolve()
      if (store.broken) throw store.broken
      const changed = change(store.releases)
      if (changed !== store.releases) store.writes += 1
      store.releases = changed
      return changed
    },
  }
  return store
}

async function recording(store: ReleaseStore, options: Partial<RecorderOptions> = {}) {
  const failures: TaskFailure[] = []
  const recorder = await createRecorder({
    store,
    kind: 'deploy',
    environment: 'prod',
    version: 'v2',
    commitSha: '9f1c',
    tasks,
    phaseOf: ({ kind }) => phases.find((phase) => phase === kind),
    now: () => now,
    onFailure: (failure) => failures.push(failure),
    ...options,
  })
  const outcomes = new Map<TaskId, Outcome>()
  const start = (id: string) => recorder.on({ type: 'started', task: task(id), at: 0, because: { reason: 'first-run', detail: '' } })
  const end = (id: string, outcome: Outcome) => {
    outcomes.set(id as TaskId, outcome)
    recorder.on({ type: 'finished', task: task(id), at: 0, outcome })
  }
  const run = (id: string, outcome: Outcome = ran) => {
    start(id)
    end(id, outcome)
  }
  return { recorder, failures, outcomes, start, end, run, finish: () => within(1_000, recorder.finish(outcomes)) }
}

function shown(found: Release | undefined): string {
  return phases
    .map((phase) => {
      const detail = found?.phase_details?.[phase]
      return [found?.phases[phase], detail?.reason ?? (detail?.cached && 'cached')].filter(Boolean).join(':')
    })
    .join(' ')
}

test('a run in which nothing starts leaves no release, and writes nothing', async () => {
  const store = memoryStore([release('rel-20260101-000000000')])
  const { end, finish } = await recording(store)
  for (const { id } of tasks) end(id, fresh)
  assert.is(await finish(), undefined)
  assert.is(store.writes, 0)
})

test('a task of no phase, like rendering a file, makes no release', async () => {
  const store = memoryStore()
  const { run, finish } = await recording(store)
  run('render:node-1')
  assert.is(await finish(), undefined)
  assert.equal(store.releases, [])
})

test('the first task that starts makes the release, with everything before it in its place', async () => {
  const store = memoryStore([release('rel-20260102-030405678'), release('rel-20260102-090000000', { environment: 'staging' })])
  const { recorder, start, end } = await recording(store, { rollback: { from: 'a', to: 'b' }, kind: 'rollback' })
  end('build:api', fresh)
  start('push:api')
  assert.is(await recorder.id(), 'rel-20260102-090000001')
  const made = store.releases.at(-1)
  assert.is(shown(made), 'completed:cached running skipped:not_configured pending skipped:not_configured pending')
  assert.is(made?.previous_id, 'rel-20260102-030405678')
  assert.is(made?.commit_sha, '9f1c')
  assert.is(made?.kind, 'rollback')
  assert.is(made?.rolled_back_from, 'a')
  assert.is(made?.rollback_target, 'b')
  assert.is(made?.owner?.pid, process.pid)
  assert.not.ok(made?.finished)
})

test('phases that move while the first write is under way are written after it', async () => {
  const store = memoryStore()
  const { recorder, start, run } = await recording(store)
  run('build:api')
  await Promise.resolve()
  start('push:api')
  await recorder.id()
  assert.is(store.releases[0]?.phases.push, 'running')
})

test('a run that goes well ends completed, with the images it brought', async () => {
  const store = memoryStore()
  const { recorder, run, start, end, finish } = await recording(store)
  for (const id of ['build:api', 'push:api', 'rollout:api@node-1', 'rollout:web@node-1']) run(id)
  start('finalize:prod')
  const images = { api: { ref: 'registry.example.com/api:v2', digest: 'sha256:1' } }
  const text = await recorder.complete(images)
  assert.is(store.releases[0]?.phases.finalize, 'running')
  assert.equal(store.releases[0]?.images, images)
  const [copy] = parseHistory(text, 'copy').releases
  assert.is(copy && overallStatus(copy), 'completed')
  assert.ok(copy?.finished)
  assert.is(copy?.owner, undefined)
  end('finalize:prod', ran)
  const done = await finish()
  assert.is(shown(done), 'completed completed skipped:not_configured completed skipped:not_configured completed')
  assert.equal(store.releases, [done])
  assert.is(done?.owner, undefined)
  assert.ok(done?.finished)
})

test('a release begun before others are known comes after them, whatever their clocks said, and leaves no other behind', async () => {
  const store = memoryStore()
  const { recorder, start } = await recording(store)
  start('build:api')
  const early = await recorder.id()
  const ahead = release('rel-20260102-031405678')
  await recorder.comesAfter([ahead])
  const late = await recorder.id()
  assert.ok(early < ahead.id && late > ahead.id, `${early} ${late}`)
  assert.equal(
    store.releases.map(({ id, previous_id }) => [id, previous_id]),
    [[late, ahead.id]],
  )
  await recorder.comesAfter([ahead])
  assert.is(await recorder.id(), late, 'once is enough')
})

test('a release that is not begun takes nothing from what others released', async () => {
  const store = memoryStore()
  const { recorder } = await recording(store)
  await recorder.comesAfter([release('rel-20260102-031405678')])
  assert.is(store.writes, 0)
})

test('the copy for the host holds the environment’s history and no other', async () => {
  const store = memoryStore([release('rel-20260101-000000000'), release('rel-20260101-000000001', { environment: 'staging' })])
  const { recorder, start } = await recording(store)
  start('finalize:prod')
  const { releases } = parseHistory(await recorder.complete({}), 'copy')
  assert.equal(
    releases.map(({ environment }) => environment),
    ['prod', 'prod'],
  )
})

test('finalize is not completed when its task fails after the copy was made', async () => {
  const store = memoryStore()
  const { recorder, start, end, finish } = await recording(store, { tasks: [task('finalize:prod')] })
  start('finalize:prod')
  await recorder.complete({})
  end('finalize:prod', failed)
  const done = await finish()
  assert.is(done?.phases.finalize, 'failed')
})

test('a failure is recorded with its words, and what comes after is skipped', async () => {
  const { run, end, finish } = await recording(memoryStore())
  run('build:api')
  run('push:api')
  run('rollout:api@node-1', failed)
  end('rollout:web@node-1', { status: 'canceled', by: 'rollout:api@node-1' as TaskId })
  end('finalize:prod', { status: 'canceled', by: 'rollout:api@node-1' as TaskId })
  const done = await finish()
  assert.is(shown(done), 'completed completed skipped:not_configured failed skipped:not_configured skipped:upstream_failed')
  assert.equal(done?.phase_details?.rollout, { error: 'api on node-2: unhealthy after 90 s', error_class: 'unhealthy' })
  assert.is(done && overallStatus(done), 'failed')
})

test('an interruption fails the phase it came in as cancelled', async () => {
  const { run, end, finish } = await recording(memoryStore())
  run('build:api')
  run('push:api', interrupted)
  for (const id of ['rollout:api@node-1', 'rollout:web@node-1', 'finalize:prod']) end(id, canceled)
  assert.is(
    shown(await finish()),
    'completed failed:cancelled skipped:not_configured skipped:upstream_failed skipped:not_configured skipped:upstream_failed',
  )
})

test('an interruption between two tasks does too', async () => {
  const { run, end, finish } = await recording(memoryStore())
  run('build:api')
  for (const id of ['push:api', 'rollout:api@node-1', 'rollout:web@node-1', 'finalize:prod']) end(id, canceled)
  assert.is(
    shown(await finish()),
    'completed failed:cancelled skipped:not_configured skipped:upstream_failed skipped:not_configured skipped:upstream_failed',
  )
})

test('outcomes settle what no event told of', async () => {
  const { recorder, start } = await recording(memoryStore(), { tasks: [task('build:api')] })
  start('build:api')
  const done = await recorder.finish(new Map([['build:api' as TaskId, ran]]))
  assert.is(done?.phases.build, 'completed')
})

test('a thousand tasks of one phase are a handful of writes', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => task(`rollout:service-${index}`))
  const store = memoryStore()
  const { run, finish } = await recording(store, { tasks: many })
  for (const { id } of many) run(id)
  await finish()
  assert.ok(store.writes <= 4, `${store.writes} writes`)
})

test('state that cannot be written ends the run, once, and with the reason', async () => {
  const store = memoryStore()
  const { recorder, failures, start, run, finish } = await recording(store)
  store.broken = new TaskFailure({ reason: 'refused', subject: 'releases.json', message: 'could not be written: ENOSPC' })
  start('build:api')
  await rejects(within(1_000, recorder.id()), /ENOSPC/)
  run('push:api')
  await rejects(recorder.complete({}), /ENOSPC/)
  await rejects(finish(), /ENOSPC/)
  assert.equal(failures, [store.broken])
})

test('state that cannot be written later on ends the run too', async () => {
  const store = memoryStore()
  const { recorder, failures, start, end, finish } = await recording(store)
  start('build:api')
  await recorder.id()
  store.broken = new Error('surprise')
  end('build:api', ran)
  await rejects(finish(), /surprise/)
  assert.is(failures[0]?.failure.reason, 'bug')
})

const ghost = { phases: { ...allPhases('pending'), build: 'running' }, finished: false } as const
const gone = { host: (await import('node:os')).hostname(), pid: 2 ** 22 + 1, start: '' }

test('a release that a dead process left running is failed as crashed when the next run opens (D14)', async () => {
  const store = memoryStore([release('rel-20260101-000000000', { ...ghost, owner: gone })])
  await recording(store)
  assert.is(
    shown(store.releases[0]),
    'failed:crashed skipped:upstream_failed skipped:upstream_failed skipped:upstream_failed skipped:upstream_failed skipped:upstream_failed',
  )
  assert.ok(store.releases[0]?.finished)
})

test('one that runs on another machine is left alone, unless the lock proves that nothing runs', async () => {
  const running = [
    release('rel-20260101-000000000', { ...ghost, owner: { host: 'elsewhere', pid: 1, start: '' } }),
    release('rel-20260101-000000001', { ...ghost, environment: 'staging', owner: { host: 'elsewhere', pid: 1, start: '' } }),
  ]
  const store = memoryStore(running)
  await recording(store)
  assert.equal(store.releases, running)
  await recording(store, { exclusive: true })
  assert.equal(
    store.releases.map(({ phases }) => phases.build),
    ['failed', 'running'],
  )
})

test('in whatever order events come, the release ends with every phase settled and the recorder never trips', async () => {
  const outcome = fc.constantFrom<Outcome>(ran, fresh, failed, interrupted, canceled)
  const plan = fc.array(fc.record({ phase: fc.constantFrom<Phase>(...phases), outcome }), { minLength: 1, maxLength: 7 })
  await fc.assert(
    fc.asyncProperty(plan, fc.infiniteStream(fc.nat(1000)), async (plans, dice) => {
      const all = plans.map(({ phase }, index) => task(`${phase}:${index}`))
      const events = plans.map(({ outcome }, index): RunEvent[] => {
        const it = task(`${plans[index]?.phase}:${index}`)
        const starts = outcome.status === 'ran' || outcome.status === 'failed'
        const started: RunEvent[] = starts ? [{ type: 'started', task: it, at: 0, because: { reason: 'drift', detail: '' } }] : []
        return [...started, { type: 'finished', task: it, at: 0, outcome }]
      })
      const store = memoryStore()
      const { recorder, failures } = await recording(store, { tasks: all })
      while (events.some((list) => list.length > 0)) {
        const open = events.filter((list) => list.length > 0)
        const next = open[Number(dice.next().value) % open.length]?.shift()
        if (next) recorder.on(next)
        if (Number(dice.next().value) % 2) await Promise.resolve()
      }
      await settles(recorder, new Map(all.map(({ id }, index) => [id, plans[index]?.outcome ?? ran])), store)
      assert.equal(failures, [])
    }),
  )
})

async function settles(recorder: Recorder, outcomes: ReadonlyMap<TaskId, Outcome>, store: { releases: readonly Release[] }): Promise<void> {
  const done = await within(1_000, recorder.finish(outcomes))
  const began = [...outcomes.values()].some(({ status }) => status === 'ran' || status === 'failed')
  assert.is(done !== undefined, began)
  assert.equal(store.releases, done ? [done] : [])
  if (done) assert.not.ok(Object.values(done.phases).some((status) => status === 'pending' || status === 'running'))
}

test.run()
