/** Looks at all hosts at once, and says how the environment is. */
import { TaskFailure } from '../../../tasks/kind.ts'
import type { App } from '../../contracts.ts'
import { withoutGhosts } from '../../releases/crash-recovery.ts'
import { parseHistory } from '../../releases/history-file.ts'
import { mergeHistory } from '../../releases/merge-history.ts'
import type { Release } from '../../releases/release.ts'
import { createReleaseStore } from '../../releases/store.ts'
import { remoteHistory } from '../../session/host-history.ts'
import type { Answer, Fleet } from '../fleet.ts'
import { type HostLook, lookAtHost } from './look.ts'
import { type StatusReport, statusReport } from './report.ts'

/** The answers of hosts as they came last, for who looks at one of them again. */
export interface StatusLook {
  readonly answers: readonly Answer<HostLook>[]
  /** The primary host's history, when that host is not among those that are looked at. */
  readonly elsewhere: string | undefined
  readonly report: StatusReport
}

/** @param warn told of a history that cannot be read: hosts can be looked at without it. */
export async function readStatus(fleet: Fleet, app: App, warn: (message: string) => void): Promise<StatusLook> {
  const { primaryHost } = fleet.deployment
  const isAsked = fleet.hosts.some(({ name }) => name === primaryHost)
  const [answers, elsewhere] = await Promise.all([
    fleet.ask((host) => lookAtHost(host, host.name === primaryHost)),
    isAsked || primaryHost === undefined ? undefined : historyText(fleet, primaryHost, warn),
  ])
  return judge(fleet, answers, elsewhere, app, warn)
}

/** Looks at one host again. @param before asked when the host has answered: others may have been looked at meanwhile. */
export async function readHostAgain(
  fleet: Fleet,
  name: string,
  before: () => StatusLook,
  app: App,
  warn: (message: string) => void,
): Promise<StatusLook> {
  fleet.host(name).changed()
  const { primaryHost } = fleet.deployment
  const [again] = await fleet.ask((host) => lookAtHost(host, host.name === primaryHost), [name])
  const { answers, elsewhere } = before()
  const merged = answers.map((answer) => (answer.name === name && again ? again : answer))
  return judge(fleet, merged, elsewhere, app, warn)
}

async function judge(
  fleet: Fleet,
  answers: readonly Answer<HostLook>[],
  elsewhere: string | undefined,
  app: App,
  warn: (message: string) => void,
): Promise<StatusLook> {
  const { deployment, opened, wants } = fleet
  const seen = answers.flatMap((answer) => (answer.ok && answer.value.history !== undefined ? [answer.value.history] : []))[0]
  const releases = await knownReleases(
    opened.directory,
    seen ?? elsewhere,
    `${deployment.primaryHost}:${deployment.directory}/${remoteHistory}`,
    app,
    warn,
  )
  return { answers, elsewhere, report: statusReport({ deployment, answers, releases, wants, nowMs: app.now().getTime() }) }
}

/** What this checkout and the primary host remember, as one history. A copy that is damaged is passed over. */
async function knownReleases(
  directory: string,
  remote: string | undefined,
  place: string,
  app: App,
  warn: (message: string) => void,
): Promise<readonly Release[]> {
  const unless = async (read: () => Promise<readonly Release[]> | readonly Release[]): Promise<readonly Release[]> => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof TaskFailure)) throw error
      warn(`${error.failure.subject}: ${error.failure.message}`)
      return []
    }
  }
  const local = await unless(() => createReleaseStore({ projectDirectory: directory, env: app.env }).read())
  const there = remote === undefined ? [] : await unless(() => parseHistory(remote, place).releases)
  return withoutGhosts(mergeHistory(local, there), app.now())
}

async function historyText(fleet: Fleet, primaryHost: string, warn: (message: string) => void): Promise<string | undefined> {
  try {
    const bytes = await fleet.host(primaryHost).files.read(remoteHistory)
    return bytes && Buffer.from(bytes).toString('utf8')
  } catch (error) {
    if (!(error instanceof TaskFailure) || error.failure.reason === 'interrupted') throw error
    warn(`the release history is on ${primaryHost}, which cannot be asked: ${error.failure.message}`)
    return undefined
  }
}
