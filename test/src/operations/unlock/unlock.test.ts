import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LockLook } from '../../../../src/hosts/lock.ts'
import type { Fleet } from '../../../../src/operations/fleet.ts'
import { unlock } from '../../../../src/operations/unlock/unlock.ts'
import { TaskFailure } from '../../../../tasks/kind.ts'
import { CapturedStream } from '../../../support/captured-stream.ts'
import { testApp } from '../../../support/test-app.ts'

const test = suite('src/operations/unlock/unlock')

const dead: LockLook = { holder: 'ci@runner pid 9', fence: 3, startedAt: '2026-01-02T03:04:05.000Z', silentSeconds: 900, isAlive: false }
const alive: LockLook = { ...dead, holder: 'anna@laptop pid 1', silentSeconds: 2, isAlive: true }

type Locks = Readonly<Record<string, LockLook | 'gone' | undefined>>

/** Hosts that only have locks. Every take-over and every line of the audit is noted. */
function fleetOf(locks: Locks) {
  const noted: string[] = []
  const failure = { reason: 'unreachable', subject: 'x', message: 'no answer' } as const
  const lock = (name: string) => ({
    look: async () => {
      const found = locks[name]
      if (found === 'gone') throw new TaskFailure(failure)
      return found
    },
    acquire: async (_run: unknown, force = false) => {
      const found = locks[name]
      if (found !== undefined && found !== 'gone' && found.isAlive && !force)
        throw new TaskFailure({ ...failure, reason: 'lock-held', message: `${name} is locked` })
      noted.push(`take ${name}`)
      return { owner: 'me', fence: 4, verify: async () => {}, release: async () => void noted.push(`release ${name}`) }
    },
  })
  const ask = (work: (host: { name: string }) => Promise<unknown>) =>
    Promise.all(
      Object.keys(locks).map((name) =>
        work({ name }).then(
          (value) => ({ name, ok: true, value }),
          () => ({ name, ok: false, failure }),
        ),
      ),
    )
  const appendOnly = () => ({
    append: async (_path: string, make: (now: object) => { bytes: Uint8Array }) => {
      const { what, result, detail } = JSON.parse(
        Buffer.from(make({ head: undefined, sizeBytes: 0, nowSeconds: 0, tail: new Uint8Array() }).bytes).toString(),
      )
      noted.push(`audit ${what} ${result}: ${detail}`)
    },
  })
  return { noted, fleet: { deployment: { primaryHost: 'h1', environment: 'prod' }, ask, lock, appendOnly } as unknown as Fleet }
}

const options = { force: false, yes: true, dryRun: false, format: 'text' } as const

async function run(locks: Locks, more: Partial<Parameters<typeof unlock>[1]> = {}) {
  const { fleet, noted } = fleetOf(locks)
  const { app, stdout } = testApp('/nowhere')
  const stderr = new CapturedStream()
  const code = await unlock(fleet, { ...options, ...more }, { ...app, stderr: stderr.asTerminal() })
  return { code, noted, stdout: stdout(), stderr: stderr.text }
}

test('nothing locked, nothing done', async () => {
  const { code, noted, stdout } = await run({ h1: undefined, h2: undefined })
  assert.equal([code, noted, stdout], [0, [], 'prod is not locked\n'])
})

test('the dead are taken over and given back, the primary host last, with the audit between', async () => {
  const { code, noted, stdout } = await run({ h1: dead, h2: dead })
  assert.is(code, 0)
  const line = 'audit unlock done: h1 from ci@runner pid 9; h2 from ci@runner pid 9'
  assert.equal(noted, ['take h1', 'take h2', 'release h2', line, 'release h1'])
  assert.match(stdout, /h2 +ci@runner pid 9 +2026-01-02T03:04:05.000Z +900 s +freed/)
})

test('the living stay: 2 when nothing was freed, 10 when something was', async () => {
  const all = await run({ h1: alive })
  assert.equal([all.code, all.noted], [2, []])
  assert.match(all.stderr, /h1 shows life.*--force/)
  const some = await run({ h1: dead, h2: alive })
  assert.is(some.code, 10)
  assert.equal(some.noted.slice(0, 1), ['take h1'])
})

test('by force the living too, and the audit says so', async () => {
  const { code, noted } = await run({ h1: undefined, h2: alive }, { force: true })
  assert.is(code, 0)
  assert.equal(noted, ['take h2', 'release h2', 'take h1', 'audit unlock done: h2 from anna@laptop pid 1, which showed life', 'release h1'])
})

test('a primary host that somebody else holds is not written to: a warning says so', async () => {
  const { noted, stderr } = await run({ h1: alive, h2: dead })
  assert.equal(noted, ['take h2', 'release h2'])
  assert.match(stderr, /the audit was not written: h1 is locked/)
})

test('a dry run only shows', async () => {
  const { code, noted, stdout } = await run({ h1: dead }, { dryRun: true })
  assert.equal([code, noted], [0, []])
  assert.match(stdout, /would be freed/)
})

test('a host that does not answer is told of', async () => {
  const { code, stdout } = await run({ h1: undefined, h2: 'gone' }, { format: 'json' })
  assert.is(code, 2)
  const { hosts } = JSON.parse(stdout) as { hosts: { host: string; state: string }[] }
  assert.equal(
    hosts.map(({ host, state }) => `${host} ${state}`),
    ['h1 unlocked', 'h2 failed'],
  )
})

test.run()
