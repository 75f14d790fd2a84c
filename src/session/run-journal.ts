/** What a run writes into the journals of the environment's hosts, and what it learns from them of the runs before (ADR 34). */
import { randomUUID } from 'node:crypto'
import { messageOf } from '../../cache/foreign.ts'
import type { HostPicture, HostState } from '../../tasks/ports.ts'
import { isLive } from '../../tasks/rolling/decide.ts'
import type { HostEffect, RunJournal } from '../execution/run-journal.ts'
import type { JournalFile } from '../hosts/journal-file.ts'
import { type JournalLine, journalFile, renderLine, type TaskLine } from '../journal/line.ts'
import { type JournalState, latestRun, type OpenRun, replay } from '../journal/replay.ts'
import { damageText } from '../journal/text.ts'
import { releaseTimeMs } from '../releases/release.ts'
import type { HostPool } from './hosts.ts'

export interface EnvironmentJournal extends RunJournal {
  /**
   * Takes down what hosts run, and reads what earlier runs left. Call under the lock, before anything is written.
   * @throws TaskFailure when a host does not take it.
   */
  begin(): Promise<void>
  /** Asked when a task has begun: under which id the run is recorded. */
  recordedAs(id: () => Promise<string>): void
  /** The run before this one, if it was cut off. */
  interrupted(): OpenRun | undefined
  /** Hosts that earlier runs changed and did not leave whole, as they were before those. */
  left(): ReadonlyMap<string, HostPicture>
  /** @param settled hosts are as a finished release wants them, or as they were: nothing is left to take back. Never rejects. */
  end(how: string, settled: boolean): Promise<void>
  isEnded(): boolean
}

export interface JournalOptions {
  /** Names of the hosts that are locked. */
  readonly hosts: readonly string[]
  readonly primaryHost: string | undefined
  /** For people: `anna@laptop`. */
  readonly who: string
  /** `deploy`, `rollback`, …; undefined for a run that changes no host: it leaves nothing. */
  readonly what: string | undefined
  readonly version: string | undefined
  readonly now: () => Date
  readonly warn: (message: string) => void
  /** Resolves while the lock is ours. */
  readonly guard: () => Promise<void>
}

export function environmentJournal(pool: Pick<HostPool, 'host' | 'journal'>, options: JournalOptions): EnvironmentJournal {
  const { hosts, primaryHost, who, what, version, now, warn, guard } = options
  const run = randomUUID()
  const files = new Map<string, JournalFile>()
  const found = new Map<string, JournalState>()
  const underWay = new Set<Promise<void>>()
  let base = ''
  let n = 0
  let isBegun = false
  let isEnded = false
  let hasFailed = false
  let release: (() => Promise<string>) | undefined

  const line = (fields: WithoutPlace<JournalLine>) => Buffer.from(renderLine({ run, n: ++n, ...fields } as JournalLine))

  async function beginOn(name: string): Promise<void> {
    const file = pool.journal(name)
    const host = pool.host(name)
    const state = await host.observe()
    const fields = { at: now().toISOString(), who, what: what ?? '', base, before: pictureOf(state), ...(version ? { version } : {}) }
    // The last run may have been cut off in the middle of a line.
    const bytes = Buffer.concat([Buffer.from('\n'), line({ event: 'begun', ...fields })])
    const read = await file.begin(bytes)
    const replayed = read === undefined ? ({ ok: false, damage: { line: 1, why: 'it is far too long' } } as const) : replay(read)
    if (replayed.ok) found.set(name, replayed.state)
    else {
      warn(`${damageText(name, host.directory, replayed.damage)}; it is kept as ${journalFile}.damaged`)
      await file.setAside(`${journalFile}.damaged`)
      await file.begin(bytes)
    }
    files.set(name, file)
  }

  /** @returns once it is on its way. */
  function tell(name: string, bytes: Uint8Array): Promise<void> {
    const file = files.get(name)
    if (!file) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const written = file.append(bytes, resolve).catch((error: unknown) => {
        reject(error)
        failed(error)
      })
      underWay.add(written)
      void written.finally(() => underWay.delete(written))
    })
  }

  function failed(error: unknown): void {
    if (!hasFailed) warn(`the journal was not written: ${messageOf(error)}`)
    hasFailed = true
  }

  async function tellTask({ task, host, commits, what: way }: HostEffect, did: TaskLine['did']): Promise<void> {
    const first = line({ event: 'task', task, did })
    if (commits && way === 'run' && did === 'begin')
      await Promise.all([...files.keys()].map((name) => tell(name, Buffer.concat([first, line({ event: 'commit' })]))))
    else await tell(host ?? primaryHost ?? '', first)
  }

  /** Known once a task has begun, and not waited for. */
  function tellRelease(host: string): void {
    const id = release
    release = undefined
    if (id === undefined) return
    const told = id().then((name) =>
      releaseTimeMs(name) === undefined ? undefined : tell(host, line({ event: 'release', release: name })),
    )
    void told.catch(failed)
  }

  return {
    async begin() {
      if (what === undefined || isBegun) return
      const primary = primaryHost === undefined ? undefined : await pool.host(primaryHost).observe()
      base = releaseOf(primary)
      await Promise.all(hosts.map(beginOn))
      isBegun = true
    },
    recordedAs(id) {
      release = id
    },
    interrupted: () => latestRun([...found.values()]),
    left: () =>
      new Map([...found].flatMap(([name, { before }]) => (before?.base === base && base !== '' ? [[name, before.picture] as const] : []))),
    async intent(effect) {
      if (!isBegun) return
      await guard()
      await tellTask(effect, effect.what === 'run' ? 'begin' : 'undo')
      tellRelease(effect.host ?? primaryHost ?? '')
    },
    ended(effect, how) {
      if (!isBegun) return
      const did = effect.what === 'run' ? how : how === 'done' ? 'undone' : 'not-undone'
      void tellTask(effect, did).catch(failed)
    },
    async end(how, settled) {
      if (!isBegun || isEnded) return
      isEnded = true
      try {
        await guard()
        await Promise.all(underWay)
        const last = line({ event: 'ended', how, settled })
        await Promise.all([...files.values()].map((file) => (settled ? file.replace(last) : file.append(last, () => {}))))
      } catch (error) {
        failed(error)
      }
    },
    isEnded: () => isEnded || !isBegun,
  }
}

/** Of each kind of line on its own. */
type WithoutPlace<Line> = Line extends JournalLine ? Omit<Line, 'run' | 'n'> : never

function pictureOf({ bundle, containers }: HostState): HostPicture {
  const running = containers.filter(isLive).map(({ id, name, service, hash }) => ({ id, name, service, hash }))
  const services = new Set(containers.map(({ service }) => service))
  const down = [...services].filter((name) => !running.some(({ service }) => service === name))
  return { ...(bundle === undefined ? {} : { bundle }), containers: running, down }
}

/** Id of the release that was finished last; empty when none was. */
function releaseOf(primary: HostState | undefined): string {
  return primary?.release?.split(' ')[0] ?? ''
}
