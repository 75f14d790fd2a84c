/** What a run tells the journals of its hosts, and learns from them. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { TaskId } from '../../../graph/types.ts'
import type { HostEffect } from '../../../src/execution/run-journal.ts'
import type { JournalFile } from '../../../src/hosts/journal-file.ts'
import type { OpenRun } from '../../../src/journal/replay.ts'
import type { Release } from '../../../src/releases/release.ts'
import { type EnvironmentJournal, environmentJournal } from '../../../src/session/run-journal.ts'
import { withCrashed } from '../../../src/session/settle-interrupted.ts'
import { rejects } from '../../support/assertions.ts'
import { FakeHost } from '../../support/fake-host.ts'

const test = suite('src/session/run-journal')

class Rig {
  readonly hosts = { h1: new FakeHost('h1'), h2: new FakeHost('h2') }
  readonly texts = new Map<string, string>()
  readonly aside = new Map<string, string>()
  readonly warnings: string[] = []
  base: string | undefined = 'rel-20260101-000000000'
  refuses = false
  guard: () => Promise<void> = async () => {}

  journal(what: string | undefined = 'deploy'): EnvironmentJournal {
    if (this.base !== undefined) this.hosts.h1.release = `${this.base} fingerprint`
    const host = (name: string) => this.hosts[name as 'h1' | 'h2']
    return environmentJournal(
      { host, journal: (name) => this.#file(name) },
      {
        ...{ hosts: ['h1', 'h2'], primaryHost: 'h1', who: 'anna@laptop', what, version: 'v2' },
        now: () => new Date('2026-11-23T17:20:11.000Z'),
        warn: (message) => this.warnings.push(message),
        guard: () => this.guard(),
      },
    )
  }

  /** Of each line of a host, what it says without who and when. */
  told(name: string): readonly string[] {
    const lines = (this.texts.get(name) ?? '').split('\n').filter((line) => line !== '')
    return lines.map((line) => {
      const { event, task = '', did = '', release = '', settled = '' } = JSON.parse(line) as Record<string, unknown>
      return `${event} ${task}${release}${settled} ${did}`.trim()
    })
  }

  #file(name: string): JournalFile {
    const add = (bytes: Uint8Array) => this.texts.set(name, (this.texts.get(name) ?? '') + Buffer.from(bytes).toString())
    return {
      begin: async (bytes) => {
        const before = this.texts.get(name)
        add(bytes)
        return Buffer.from(before ?? '')
      },
      append: async (bytes, sent) => {
        if (this.refuses) throw new Error('no space left')
        add(bytes)
        sent()
      },
      replace: async (bytes) => void this.texts.set(name, Buffer.from(bytes).toString()),
      setAside: async (other) => {
        this.aside.set(`${name} ${other}`, this.texts.get(name) ?? '')
        this.texts.delete(name)
      },
    }
  }
}

const effect = (task: string, host?: string, more: Partial<HostEffect> = {}): HostEffect => ({
  ...{ task: task as TaskId, what: 'run', commits: false, ...more },
  ...(host === undefined ? {} : { host }),
})

test('a run that ends well leaves one line on each host', async () => {
  const r = new Rig()
  const journal = r.journal()
  await journal.begin()
  journal.recordedAs(async () => 'rel-20261123-172011000')
  await journal.intent(effect('rollout:web@h2', 'h2'))
  journal.ended(effect('rollout:web@h2', 'h2'), 'done')
  await journal.intent(effect('finalize:prod', undefined, { commits: true }))
  await new Promise(setImmediate)
  assert.equal(r.told('h1'), ['begun', 'task finalize:prod begin', 'commit'])
  assert.equal(r.told('h2'), [
    ...['begun', 'task rollout:web@h2 begin', 'release rel-20261123-172011000'],
    ...['task rollout:web@h2 done', 'task finalize:prod begin', 'commit'],
  ])
  assert.is(journal.isEnded(), false)
  await journal.end('done', true)
  await journal.end('failed', false)
  assert.is(journal.isEnded(), true)
  for (const host of ['h1', 'h2']) assert.equal(r.told(host), ['ended true'])
  assert.equal(r.warnings, [])
})

test('the run after one that was cut off knows where, and what was before it', async () => {
  const r = new Rig()
  r.hosts.h2.engine.add({ name: 'web-1', service: 'web', hash: 'one' })
  r.hosts.h2.engine.add({ name: 'db-1', service: 'db', hash: 'one', state: 'exited' })
  const dead = r.journal()
  await dead.begin()
  assert.is(dead.interrupted(), undefined)
  assert.is(dead.left().size, 0)
  await dead.intent(effect('rollout:web@h2', 'h2'))
  const next = r.journal()
  await next.begin()
  assert.equal(next.interrupted()?.last?.task, 'rollout:web@h2')
  const picture = next.left().get('h2')
  assert.equal(
    picture?.containers.map(({ name, hash }) => [name, hash]),
    [['web-1', 'one']],
  )
  assert.equal(picture?.down, ['db'])
  r.base = 'rel-20260202-000000000'
  r.hosts.h1.changed()
  const later = r.journal()
  await later.begin()
  assert.is(later.left().size, 0, 'a release was finished since')
})

test('before the first release there is nothing to go back to', async () => {
  const r = new Rig()
  r.base = undefined
  await r.journal().begin()
  const next = r.journal()
  await next.begin()
  assert.is(next.left().size, 0)
  assert.ok(next.interrupted())
})

test('a journal that somebody wrote into is put aside, and begun anew', async () => {
  const r = new Rig()
  r.texts.set('h2', 'words\n')
  const journal = r.journal()
  await journal.begin()
  assert.match(
    r.warnings.join(),
    /h2:.*journal\.ndjson cannot be read: line 1: it is no line of a journal.*kept as journal\.ndjson\.damaged/,
  )
  assert.match(r.aside.get('h2 journal.ndjson.damaged') ?? '', /^words/)
  assert.equal(r.told('h2'), ['begun'])
})

test('what is not on record is not begun; later lines that are lost are told once', async () => {
  const r = new Rig()
  const journal = r.journal()
  await journal.begin()
  r.refuses = true
  await rejects(journal.intent(effect('rollout:web@h2', 'h2')), /no space left/)
  journal.ended(effect('rollout:web@h2', 'h2'), 'failed')
  await journal.end('failed', false)
  assert.equal(r.warnings, ['the journal was not written: no space left'])
  r.guard = () => Promise.reject(new Error('lost the lock'))
  await rejects(journal.intent(effect('upload:h1', 'h1')), /lost the lock/)
})

test('what changes no host, and what has not begun, leaves nothing', async () => {
  const r = new Rig()
  const idle = r.journal()
  await idle.intent(effect('upload:h1', 'h1'))
  idle.ended(effect('upload:h1', 'h1'), 'done')
  await idle.end('done', true)
  const reading = r.journal('')
  assert.is(reading.isEnded(), true)
  assert.is(r.texts.size, 0)
})

const open: OpenRun = {
  ...{ run: 'a', at: '2026-11-23T17:20:11.000Z', who: 'anna@laptop', what: 'deploy', version: 'v2', release: 'rel-20261123-172011000' },
  last: { task: 'rollout:web@h2', did: 'begin', n: 3 },
}

test('its release is recorded as crashed, also one that nobody here has heard of', () => {
  const now = new Date('2026-11-24T00:00:00.000Z')
  const [made] = withCrashed([], open, 'prod', now)
  assert.equal(
    [made?.id, made?.by, made?.version, made?.phases.push, made?.phases.rollout, made?.finished],
    ['rel-20261123-172011000', 'anna@laptop', 'v2', 'completed', 'failed', true],
  )
  assert.is(made?.phase_details?.rollout?.reason, 'crashed')
  const known = { ...made, finished: false, commit_sha: 'abc', phases: { ...made?.phases, rollout: 'running' } } as Release
  const [settled] = withCrashed([known], open, 'prod', now)
  assert.equal([settled?.commit_sha, settled?.phases.rollout, settled?.finished], ['abc', 'failed', true])
  const all = [made as Release]
  assert.is(withCrashed(all, open, 'prod', now), all)
  const { release: _, ...unnamed } = open
  assert.is(withCrashed(all, unnamed, 'prod', now), all)
})

test.run()
