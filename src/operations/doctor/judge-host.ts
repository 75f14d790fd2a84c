/** What a host's facts mean for a deploy to it. Pure. */
import { fixedHostPorts } from '../../config/published-ports.ts'
import type { Deployment } from '../../contracts.ts'
import { renderCount, renderSize } from '../../ui/size.ts'
import { isAlive } from '../status/report.ts'
import { type Check, Checks, isAtLeast } from './check.ts'
import { type HostFacts, range } from './host-facts.ts'

export interface HostSituation {
  readonly section: string
  readonly host: string
  readonly user: string
  readonly deployment: Deployment
  readonly facts: HostFacts
  /** `process.arch` of the machine that builds images. */
  readonly builderArchitecture: string
}

/** The first Engine whose API has all we ask for; older ones were never tried. */
const leastEngine = '20.10'
const leastCompose = '2.0'
/** Between machines, certificates and logs begin to suffer. */
const mostSkewSeconds = 30
const littleSpace = { problem: 500_000_000, warning: 5_000_000_000 }
const fewFilesShare = 0.05

export function judgeHost(situation: HostSituation): readonly Check[] {
  const checks = new Checks(situation.section)
  judgePrograms(situation, checks)
  judgeClock(situation.facts, checks)
  judgeDisk(situation.facts, checks)
  judgeFolder(situation, checks)
  judgePorts(situation, checks)
  judgeLock(situation.facts, checks)
  return checks.all
}

function judgePrograms({ facts, deployment, host, builderArchitecture }: HostSituation, checks: Checks): void {
  const { engine, compose } = facts
  if (engine.version === undefined) checks.warn('engine', 'the version of its Docker Engine could not be asked for')
  else if (isAtLeast(engine.version, leastEngine) === false) {
    checks.problem(
      'engine',
      `Docker Engine ${engine.version} is older than ${leastEngine}`,
      'update it: https://docs.docker.com/engine/install/',
    )
  } else checks.ok('engine', `Docker Engine ${engine.version}`)
  const remedy = 'install the Compose plugin there: https://docs.docker.com/compose/install/linux/'
  if (compose === undefined) checks.problem('compose', 'Docker Compose v2 is not installed', remedy)
  else if (isAtLeast(compose, leastCompose) === false)
    checks.problem('compose', `Docker Compose ${compose} is older than ${leastCompose}`, remedy)
  else checks.ok('compose', `Docker Compose ${compose}`)
  const built = deployment.services.filter(
    ({ build, hosts }) => build !== undefined && build.platforms.length === 0 && hosts.includes(host),
  )
  const theirs = architectures[engine.architecture ?? ''] ?? engine.architecture
  if (built.length === 0 || theirs === undefined || theirs === builderArchitecture) return
  const names = built.map(({ name }) => name).join(', ')
  checks.warn(
    'architecture',
    `it is ${theirs}, and images of ${names} are built here for ${builderArchitecture}`,
    `name the platform in the Compose file: \`build: { platforms: [linux/${theirs === 'x64' ? 'amd64' : theirs}] }\``,
  )
}

/** As `uname -m` says it, and as Node does. */
const architectures: Readonly<Record<string, string>> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', armv7l: 'arm' }

function judgeClock({ clockSkewSeconds: skew }: HostFacts, checks: Checks): void {
  const seconds = Math.round(Math.abs(skew ?? 0))
  if (skew === undefined) checks.skip('clock', 'its clock could not be asked for')
  else if (seconds <= mostSkewSeconds) checks.ok('clock', 'its clock agrees with ours')
  else {
    const direction = skew > 0 ? 'ahead of' : 'behind'
    checks.warn('clock', `its clock is ${seconds} s ${direction} this machine's`, 'let both be set by NTP: `timedatectl set-ntp true`')
  }
}

function judgeDisk({ fileSystems }: HostFacts, checks: Checks): void {
  if (fileSystems.length === 0) checks.skip('disk', 'its free space could not be asked for')
  for (const { path, freeBytes, freeFiles, freeFilesShare } of fileSystems) {
    const remedy = 'see what fills it: `df -h`, `docker system df`'
    const free = `${renderSize(freeBytes)} are free at ${path}`
    if (freeBytes < littleSpace.problem) checks.problem('disk', `only ${free}`, remedy)
    else if (freeBytes < littleSpace.warning) checks.warn('disk', `only ${free}`, remedy)
    else checks.ok('disk', free)
    if (freeFiles === 0) checks.problem('inodes', `no file more can be made at ${path}: it is out of inodes`, '`df -i`')
    else if (freeFilesShare !== undefined && freeFilesShare < fewFilesShare) {
      checks.warn('inodes', `only ${renderCount(freeFiles ?? 0, 'file')} more can be made at ${path}`, '`df -i`')
    }
  }
}

function judgeFolder({ facts: { folder }, deployment: { directory }, user }: HostSituation, checks: Checks): void {
  const isThere = folder.path === directory
  if (folder.isWritable) checks.ok('folder', isThere ? `${directory} can be written to` : `${directory} can be made`)
  else {
    const what = isThere
      ? `${user} may not write to ${directory}`
      : `${user} may not make ${directory}: ${folder.path} belongs to someone else`
    const base = directory.split('/').slice(0, -2).join('/') || '/'
    checks.problem('folder', what, `on the host: \`sudo install -d -o ${user} ${base}\``)
  }
}

function judgePorts({ facts, deployment, host }: HostSituation, checks: Checks): void {
  const wanted = deployment.services
    .filter(({ hosts }) => hosts.includes(host))
    .flatMap(({ name, definition }) =>
      fixedHostPorts(definition, deployment.variables.plain).flatMap((text) => portsOf(text).map((port) => ({ name, port }))),
    )
  if (wanted.length === 0) return
  const others = facts.publishers.filter((other) => other.project !== deployment.project || other.environment !== deployment.environment)
  const docker = new Set(facts.publishers.flatMap(({ ports }) => ports))
  let isFree = true
  for (const { name, port } of wanted) {
    const other = others.find(({ ports }) => ports.includes(port))
    const whose = other && (other.project === '' ? other.container : `${other.container} of ${other.project}/${other.environment}`)
    const isForeign = other === undefined && facts.listening?.includes(port) === true && !docker.has(port)
    if (whose === undefined && !isForeign) continue
    isFree = false
    const remedy =
      whose === undefined ? `see what it is, on the host: \`sudo ss -ltnp sport = :${port}\`` : 'publish another port, or stop the other'
    checks.problem('ports', `port ${port}, which ${name} publishes, is taken by ${whose ?? 'another program'}`, remedy)
  }
  if (isFree) checks.ok('ports', `${wanted.map(({ port }) => port).join(', ')} can be published`)
}

function portsOf(text: string): number[] {
  const [from, to] = text.split('-').map(Number)
  return from === undefined || !Number.isInteger(from) ? [] : range(from, to ?? from)
}

function judgeLock({ lock }: HostFacts, checks: Checks): void {
  if (lock === undefined) checks.ok('lock', 'nobody holds the lock')
  else if (isAlive(lock)) checks.warn('lock', `${lock.holder} holds the lock`, 'wait until that run is done')
  else {
    const message = `${lock.holder} holds the lock, and gave no sign of life for ${lock.silentSeconds ?? 0} s`
    checks.warn('lock', message, 'nothing: the next deploy takes it over')
  }
}
