import { mkdir, rm } from 'node:fs/promises'
import { distrustRegistry, openCertificates, trustRegistry } from './certificates.ts'
import { openCredentials } from './credentials.ts'
import { stopDetached } from './detached.ts'
import { engineAnswers, foreignOwner, openNetwork, removeNetwork, startEngine, stopEngine } from './engine.ts'
import { hostContainers, labHost, removeHosts, startHost } from './hosts.ts'
import { imageRefs, publishImages, removeImages } from './images.ts'
import { type Layout, labLayout, maxHosts } from './layout.ts'
import { withLabLock } from './lock.ts'
import { labObstacle } from './obstacle.ts'
import { detectDistribution, hasPart, installPackages, planPackages } from './packages.ts'
import { startPostgres, stopPostgres } from './postgres.ts'
import { startRegistry } from './registry.ts'
import { openHostRootfs, removeRootfs } from './rootfs.ts'
import { openIdentity, writeKnownHosts } from './ssh-keys.ts'

export { labObstacle }

/** A machine to deploy to: a container that runs sshd and a Docker engine of its own. */
export interface LabHost {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly container: string
}

/** Real hosts, a registry and a database on this machine. */
export interface Lab {
  /** Holds everything the lab keeps, but the database. */
  readonly dir: string
  readonly hosts: readonly LabHost[]
  /** Both accept the lab's key; `deploy` is in group docker and owns /opt/stagecraft. */
  readonly users: readonly ['root', 'deploy']
  readonly identityFile: string
  readonly knownHostsFile: string
  readonly registry: {
    readonly address: string
    readonly username: string
    readonly password: string
    readonly caFile: string
    /** To be used as DOCKER_CONFIG: holds a config.json with the registry's password. */
    readonly dockerConfigDir: string
  }
  readonly postgres: { readonly address: string; readonly port: number; readonly superuserDsn: string }
  /** Images to build on, by their references in the lab's registry. */
  readonly images: { readonly busybox: string; readonly caddy: string; readonly node: string; readonly postgres: string }
}

export interface OpenLabOptions {
  /** How many hosts; 2 unless told. More may be running, and are left alone. */
  readonly hosts?: number
  readonly report?: (line: string) => void
}

/** Brings up what is missing and re-uses what runs. Safe to call again, from several processes too. */
export async function openLab({ hosts: count = 2, report = () => {} }: OpenLabOptions = {}): Promise<Lab> {
  const obstacle = await labObstacle()
  if (obstacle !== undefined) throw new Error(obstacle)
  const { firstHost } = labLayout()
  const isInRange = [count, firstHost].every((number) => Number.isInteger(number) && number >= 1) && firstHost + count - 1 <= maxHosts
  if (!isInRange) throw new Error(`a lab has hosts 1 to ${maxHosts}, not ${count} from ${firstHost} on`)
  return withLabLock(() => openLocked(count, report))
}

async function openLocked(count: number, report: (line: string) => void): Promise<Lab> {
  const layout = labLayout()
  await mkdir(layout.dir, { recursive: true, mode: 0o700 })
  await preparePackages(report)
  // Before anything of a running lab is overwritten.
  if (await engineAnswers()) await claim(layout, report)
  const [certificates, credentials, publicKey] = await Promise.all([
    openCertificates(layout),
    openCredentials(layout),
    openIdentity(layout),
  ])
  const isNewlyTrusted = await trustRegistry(layout, certificates.caFile)
  const isStarted = await startEngine(layout)
  if (isNewlyTrusted && !isStarted)
    report('restart the Docker engine before a build pulls from the registry: BuildKit does not trust it yet')
  await claim(layout, report)
  await openNetwork(layout)
  const hosts = Array.from({ length: count }, (_, index) => labHost(layout.firstHost + index))

  const images = startRegistry(layout, certificates, credentials)
    .then(() => publishImages(layout, certificates, credentials))
    .then(() => report('registry ready'))
  const database = startPostgres(layout, credentials).then(() => report('postgres ready'))
  const running = Promise.all([openHostRootfs(layout), hostContainers()]).then(([image, known]) =>
    Promise.all(
      hosts.map((host) =>
        startHost(layout, host, { image, publicKey, caFile: certificates.caFile }, known).then(() => report(`${host.name} ready`)),
      ),
    ),
  )
  await settle([images, database, running])
  await writeKnownHosts(layout)

  const { registry, postgresPassword } = credentials
  const { gateway } = layout.network
  return {
    dir: layout.dir,
    hosts,
    users: ['root', 'deploy'],
    identityFile: layout.identityFile,
    knownHostsFile: layout.knownHostsFile,
    registry: { address: layout.registry.address, ...registry, caFile: certificates.caFile, dockerConfigDir: layout.dockerConfigDir },
    postgres: {
      address: gateway,
      port: layout.postgresPort,
      superuserDsn: `postgres://postgres:${postgresPassword}@${gateway}:${layout.postgresPort}/postgres`,
    },
    images: imageRefs(layout),
  }
}

/** Stops and removes hosts, registry and database. With `all`, also images, keys and the engine if the lab started it. */
export async function closeLab({ all = false }: { readonly all?: boolean } = {}): Promise<void> {
  await withLabLock(async () => {
    const layout = labLayout()
    const hasEngine = hasPart('docker') && (await engineAnswers())
    if (hasEngine) await claim(layout, () => {})
    await stopPostgres(layout)
    await stopDetached(layout.dir, 'registry')
    if (hasEngine) {
      await removeHosts()
      await removeNetwork(layout)
      if (all) await Promise.all([removeImages(layout), removeRootfs()])
    }
    if (!all) return
    await distrustRegistry(layout)
    await stopEngine(layout)
    await rm(layout.dir, { recursive: true, force: true })
  })
}

/** Another folder's lab is refused while it runs; what one that was cut off has left behind goes. */
async function claim(layout: Layout, report: (line: string) => void): Promise<void> {
  const owner = await foreignOwner(layout)
  if (owner === undefined) return
  if ((await hostContainers()).some(({ state }) => state === 'running')) {
    throw new Error(`the lab of ${owner} is up on this machine; set STAGECRAFT_LAB_DIR to that folder, or end it first`)
  }
  report(`removing what is left of the lab of ${owner}`)
  await removeHosts()
  await removeNetwork(layout)
}

async function preparePackages(report: (line: string) => void): Promise<void> {
  const distribution = await detectDistribution()
  if (distribution === undefined) return
  const plan = planPackages({ distribution, engineAnswers: hasPart('docker') && (await engineAnswers()), has: hasPart })
  const names = [...plan.packages, ...plan.backported]
  if (names.length > 0) report(`installing ${names.join(' ')}`)
  await installPackages(plan)
}

/** Waits for all, then throws the first error: nothing is left at work behind the caller's back. */
async function settle(work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}
