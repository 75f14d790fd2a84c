/** The status of an environment as a person reads it. Pure. */

import { endedText } from '../../journal/text.ts'
import type { Paint } from '../../ui/paint.ts'
import { shortVersion } from '../../ui/short-version.ts'
import { renderAge, renderCount } from '../../ui/size.ts'
import { printable, renderTable } from '../../ui/table.ts'
import { edgeCells, edgeLines, edgeWords, maintenanceEnds, proxyName } from './edge-text.ts'
import type { DriftKind } from './findings.ts'
import { type HostStatus, hasDrift, isDegraded, type ReleaseStatus, type ServiceStatus, type StatusReport } from './report.ts'

/** Lines without their ends; the first ones are about the release and the lock. */
export function statusLines(report: StatusReport, paint: Paint, nowMs: number): readonly string[] {
  const { env, release, attempt, interrupted, damaged, locks, hosts } = report
  const rows = hosts.flatMap((host) => rowsOf(host, nowMs))
  const [headings = '', ...table] = renderTable(
    columns,
    rows.map(({ cells }) => cells),
  )
    .trimEnd()
    .split('\n')
  return [
    `${paint.bold(env)} ${release === undefined ? 'has no finished release that could be read' : releaseText(release, nowMs)}`,
    ...(attempt === undefined ? [] : [paint.yellow(`last attempt ${releaseText(attempt, nowMs)}: ${attempt.status}`)]),
    ...(interrupted ? [paint.yellow(`${endedText(interrupted)}; \`stagecraft deploy\` goes on from there`)] : []),
    ...damaged.map((line) => paint.yellow(printable(line))),
    ...lockLines(locks).map((line) => paint.yellow(line)),
    '',
    paint.dim(headings),
    ...table.map((line, index) => (rows[index]?.isWell === true ? line : paint.yellow(line))),
    ...findingLines(report, paint),
  ]
}

function releaseText({ id, version, timestamp, by }: ReleaseStatus, nowMs: number): string {
  const timeMs = Date.parse(timestamp)
  const when = Number.isNaN(timeMs) ? '' : ` · ${renderAge(nowMs - timeMs)}`
  return `${printable(shortVersion(version))} · ${printable(id)}${when}${by === undefined ? '' : ` · by ${printable(String(by))}`}`
}

/** One line for each holder: a run holds the lock of all hosts. */
function lockLines(locks: StatusReport['locks']): string[] {
  const holders = [...new Set(locks.map(({ holder }) => holder))]
  return holders.map((holder) => {
    const held = locks.filter((lock) => lock.holder === holder)
    const since = held[0]?.since
    const silence = Math.max(...held.map(({ silentSeconds }) => silentSeconds ?? 0))
    const life = held.some(({ silentSeconds }) => silentSeconds !== undefined) ? `, last sign of life ${silence} s ago` : ''
    const where = held.map(({ host }) => host).join(', ')
    return `locked by ${printable(holder)}${since === undefined ? '' : ` since ${printable(since)}`}${life} (${where})`
  })
}

const columns = ['HOST', 'SERVICE', 'VERSION', 'RUNNING', 'STATE', 'HEALTH', 'SINCE', 'DRIFT']

interface Row {
  readonly cells: readonly string[]
  readonly isWell: boolean
}

function rowsOf({ name, reachable, deployed, services, edge }: HostStatus, nowMs: number): readonly Row[] {
  const nothing = (word: string, isWell: boolean): Row => ({ cells: [name, '-', '-', '-', word, '-', '-', '-'], isWell })
  if (!reachable) return [nothing('unreachable', false)]
  const rows: Row[] = services.map((service) => ({ cells: [name, ...serviceCells(service, nowMs)], isWell: service.drift.length === 0 }))
  if (services.length === 0 && !deployed) rows.push(nothing('not deployed', false))
  if (edge) rows.push({ cells: [name, ...edgeCells(edge)], isWell: edgeWords(edge).length === 0 })
  return rows.length > 0 ? rows : [nothing('empty', true)]
}

function serviceCells({ name, version, replicas, state, health, sinceMs, drift }: ServiceStatus, nowMs: number): string[] {
  const kinds = [...new Set(drift.map(({ kind }) => kindWords[kind]))]
  return [
    name,
    version,
    `${replicas.running}/${replicas.wanted}`,
    state,
    health === 'none' ? '-' : health,
    sinceMs === undefined ? '-' : shortAge(nowMs - sinceMs),
    kinds.length === 0 ? '-' : kinds.join(', '),
  ]
}

const kindWords: Readonly<Record<DriftKind, string>> = {
  missing: 'missing',
  replicas: 'replicas',
  definition: 'other definition',
  orphan: 'orphan',
  'left-over': 'left over',
  unsettled: 'cut off',
  stopped: 'stopped',
  exited: 'ended',
  'not-started': 'not started',
  paused: 'paused',
  restarting: 'restarts',
  starting: 'starting',
  unhealthy: 'unhealthy',
}

function findingLines(report: StatusReport, paint: Paint): string[] {
  const lines = report.hosts.flatMap(({ name, error, services, edge }) => [
    ...(error === undefined ? [] : error.split('\n').map((line) => `${line.includes(name) ? '' : `${name}: `}${printable(line)}`)),
    ...services.flatMap((service) => service.drift.map(({ detail }) => `${name} ${service.name}: ${printable(detail)}`)),
    ...(edge ? edgeLines(edge).map(([subject, detail]) => `${name} ${subject}: ${printable(detail)}`) : []),
  ])
  const ends = maintenanceEnds(report).map((line) => paint.dim(line))
  if (!isDegraded(report)) return ends.length > 0 ? ['', ...lines, ...ends] : []
  const repair =
    report.locks.length > 0 ? 'a run holds the lock: it may be at work on this' : `to repair: stagecraft deploy --env ${report.env}`
  return ['', ...lines, ...(report.hosts.some(hasDrift) ? [paint.dim(repair)] : []), ...ends]
}

/** `12s`, `5m`, `3h`, `12d`: for a narrow column. */
export function shortAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  return seconds < 48 * 3_600 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

/** What is different, one line each, for a log of changes. */
export function changeLines(before: StatusReport | undefined, after: StatusReport): readonly string[] {
  const then = before === undefined ? new Map<string, string>() : summaries(before)
  const now = summaries(after)
  const gone = [...then.keys()].filter((subject) => !now.has(subject)).map((subject) => `${subject}: gone`)
  return [...[...now].flatMap(([subject, text]) => (then.get(subject) === text ? [] : [`${subject}: ${text}`])), ...gone]
}

function summaries({ env, release, attempt, interrupted, locks, hosts }: StatusReport): Map<string, string> {
  const all = new Map<string, string>()
  const live = release === undefined ? 'no finished release' : `${shortVersion(release.version)} is live (${release.id})`
  all.set(env, attempt === undefined ? live : `${live}; ${attempt.id} ${attempt.status}`)
  if (interrupted) all.set('journal', endedText(interrupted))
  const holders = [...new Set(locks.map(({ holder }) => holder))]
  if (holders.length > 0) all.set('lock', `held by ${holders.join(' and ')}`)
  for (const { name, reachable, error, services, edge } of hosts) {
    all.set(name, reachable ? 'reachable' : `unreachable: ${(error ?? '').split('\n')[0]}`)
    for (const service of services) {
      const { replicas, state, health, version, drift } = service
      const how = [
        `${replicas.running} of ${renderCount(replicas.wanted, 'replica')}`,
        state,
        ...(health === 'none' ? [] : [health]),
        `version ${version}`,
      ]
      all.set(`${name} ${service.name}`, [...how, ...drift.map(({ detail }) => detail)].map(printable).join(', '))
    }
    if (edge) all.set(`${name} ${proxyName}`, [edge.proxy, ...edgeLines(edge).map((words) => words.join(': '))].map(printable).join(', '))
  }
  return all
}
