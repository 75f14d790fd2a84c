import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { postgresBinary } from './postgres-binary.ts'

/** The systems whose package names we know. Newer and older releases are treated as the nearest of these. */
export type Distribution = 'debian-12' | 'debian-13' | 'ubuntu'

/** What the choice of packages depends on, so that it can be tried without installing anything. */
export interface Machine {
  readonly distribution: Distribution
  readonly engineAnswers: boolean
  has(part: Part): boolean
}

/** One thing the lab needs from this machine. */
export type Part = keyof typeof packages

/** Packages to install, those of `backported` from trixie although the machine is on bookworm. */
export interface PackagePlan {
  readonly packages: readonly string[]
  readonly backported: readonly string[]
}

const everywhere = (name: string) => ({ 'debian-12': name, 'debian-13': name, ubuntu: name })

const packages = {
  dockerd: everywhere('docker.io'),
  docker: { 'debian-12': 'docker.io', 'debian-13': 'docker-cli', ubuntu: 'docker.io' },
  buildx: everywhere('docker-buildx'),
  compose: { 'debian-12': 'docker-compose', 'debian-13': 'docker-compose', ubuntu: 'docker-compose-v2' },
  debootstrap: everywhere('debootstrap'),
  'debian-archive-keyring': everywhere('debian-archive-keyring'),
  'docker-registry': everywhere('docker-registry'),
  postgres: everywhere('postgresql'),
  'busybox-static': everywhere('busybox-static'),
  nginx: everywhere('nginx'),
  caddy: everywhere('caddy'),
  pebble: everywhere('pebble'),
  openssl: everywhere('openssl'),
  'ssh-keygen': everywhere('openssh-client'),
} as const satisfies Record<string, Record<Distribution, string>>

// bookworm has no buildx, and its docker-compose is the dead v1.
const backportedParts: ReadonlySet<Part> = new Set(['buildx', 'compose'])

/** Which packages a machine lacks. Pure. */
export function planPackages(machine: Machine): PackagePlan {
  const parts = Object.keys(packages) as Part[]
  const missing = parts.filter((part) => !machine.has(part) && !(part === 'dockerd' && machine.engineAnswers))
  const isBackported = (part: Part) => machine.distribution === 'debian-12' && backportedParts.has(part)
  const names = (chosen: Part[]) => [...new Set(chosen.map((part) => packages[part][machine.distribution]))]
  return { packages: names(missing.filter((part) => !isBackported(part))), backported: names(missing.filter(isBackported)) }
}

/** The distribution this machine runs, or undefined where apt packages have other names or there is no apt. */
export async function detectDistribution(): Promise<Distribution | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1]
  const [id, like] = [field('ID') ?? '', field('ID_LIKE') ?? '']
  if (!existsSync('/usr/bin/apt-get')) return undefined
  if (id === 'ubuntu' || like.split(' ').includes('ubuntu')) return 'ubuntu'
  if (id !== 'debian' && !like.split(' ').includes('debian')) return undefined
  return field('VERSION_ID') === '12' ? 'debian-12' : 'debian-13'
}

/** Whether this machine has a part already; looks at files only, so that a complete machine is known in a millisecond. */
export function hasPart(part: Part): boolean {
  switch (part) {
    case 'buildx':
    case 'compose':
      return pluginFolders().some((folder) => existsSync(join(folder, `docker-${part}`)))
    case 'debian-archive-keyring':
      return existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')
    case 'postgres':
      return postgresBinary('postgres') !== undefined && postgresBinary('initdb') !== undefined
    case 'busybox-static':
      // Package `busybox` puts a dynamic binary in the same place.
      return existsSync('/var/lib/dpkg/info/busybox-static.list')
    default:
      return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => existsSync(join(folder, part)))
  }
}

/** Installs what `plan` names. */
export async function installPackages(plan: PackagePlan): Promise<void> {
  if (plan.packages.length === 0 && plan.backported.length === 0) return
  if (plan.backported.length > 0) await addTrixieSource()
  await apt(['update'])
  await withoutServiceStarts(async () => {
    if (plan.packages.length > 0) await apt(['install', ...plan.packages])
    if (plan.backported.length > 0) await apt(['install', '--target-release', 'trixie', ...plan.backported])
  })
}

async function apt(args: readonly string[]): Promise<void> {
  const options = ['--yes', '--quiet', '--no-install-recommends', '--option', 'DPkg::Lock::Timeout=300']
  await execa('apt-get', [...options, ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' }, stdin: 'ignore' })
}

/** Lets apt see trixie, with a priority that keeps it from taking anything from there unasked. */
async function addTrixieSource(): Promise<void> {
  await writeFile(
    '/etc/apt/sources.list.d/stagecraft-lab-trixie.sources',
    'Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n',
  )
  await writeFile('/etc/apt/preferences.d/stagecraft-lab-trixie', 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n')
}

/** The lab runs its own registry and database; those of the packages shall not be started beside them. */
async function withoutServiceStarts(install: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return install()
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    await install()
  } finally {
    await rm(policy, { force: true })
  }
}

function pluginFolders(): readonly string[] {
  const config = process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker')
  return [config, '/usr/local/lib/docker', '/usr/local/libexec/docker', '/usr/lib/docker', '/usr/libexec/docker'].map((folder) =>
    join(folder, 'cli-plugins'),
  )
}
