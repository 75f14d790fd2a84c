import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { docker, waitFor } from './engine.ts'
import { type HostRun, hostRunArgs, labLabel, recipeLabel } from './host-run.ts'
import { hostScript, sshdConfig } from './host-script.ts'
import type { LabHost } from './lab.ts'
import { hostAddress, type Layout } from './layout.ts'
import { portAnswers } from './postgres.ts'
import { openHostKey } from './ssh-keys.ts'

export interface HostParts {
  readonly image: string
  readonly publicKey: string
  readonly caFile: string
}

/** A host's container as the engine reports it. */
export interface HostContainer {
  readonly container: string
  readonly state: string
  readonly recipe: string
}

/** The n-th host, counted from 1, whether it runs or not. */
export function labHost(index: number): LabHost {
  return { name: `host-${index}`, address: hostAddress(index), port: 22, container: `stagecraft-lab-host-${index}` }
}

/** Brings a host up: starts it, re-uses it, or makes it anew where its recipe has changed. Returns once it takes commands. */
export async function startHost(layout: Layout, host: LabHost, parts: HostParts, known: readonly HostContainer[]): Promise<void> {
  const folder = await writeHostFolder(layout, host.name, parts)
  const run = { ...host, folder, image: parts.image }
  const recipe = digest([...hostRunArgs(layout, { ...run, recipe: '' }), hostScript, sshdConfig, daemonConfig(host.name)])
  const existing = known.find((one) => one.container === host.container)
  if (existing?.recipe !== recipe) await createHost(layout, { ...run, recipe }, existing !== undefined)
  else if (existing.state !== 'running') await docker(['start', host.container])
  await waitFor(`${host.name} (see \`docker logs ${host.container}\`)`, 60_000, () => takesCommands(host))
}

export async function hostContainers(): Promise<readonly HostContainer[]> {
  const format = `{{.Names}}\t{{.State}}\t{{.Label "${recipeLabel}"}}`
  const lines = await docker(['ps', '--all', '--filter', `label=${labLabel}=host`, '--format', format])
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [container = '', state = '', recipe = ''] = line.split('\t')
      return { container, state, recipe }
    })
}

/** Removes all hosts, with their volumes and what their containers left in the machine's cgroup tree. */
export async function removeHosts(): Promise<void> {
  const containers = (await hostContainers()).map((host) => host.container)
  if (containers.length > 0) await docker(['rm', '--force', '--volumes', ...containers])
  const volumes = (await docker(['volume', 'ls', '--quiet', '--filter', `label=${labLabel}=host`]))
    .split('\n')
    .filter((name) => name !== '')
  if (volumes.length > 0) await docker(['volume', 'rm', ...volumes])
  await removeCgroups()
}

async function createHost(layout: Layout, run: HostRun, isThere: boolean): Promise<void> {
  if (isThere) {
    await docker(['rm', '--force', '--volumes', run.container])
    await docker(['volume', 'rm', '--force', run.container])
  }
  await docker(hostRunArgs(layout, run))
}

async function takesCommands(host: LabHost): Promise<boolean> {
  if (!(await portAnswers(host.address, host.port))) return false
  const { exitCode } = await execa('docker', ['exec', host.container, 'docker', 'version'], { reject: false, stdin: 'ignore' })
  return exitCode === 0
}

async function writeHostFolder(layout: Layout, name: string, parts: HostParts): Promise<string> {
  const folder = join(layout.dir, 'hosts', name)
  await mkdir(folder, { recursive: true })
  await openHostKey(folder, name)
  await copyFile(parts.caFile, join(folder, 'registry-ca.crt'))
  await writeFile(join(folder, 'authorized_keys'), parts.publicKey)
  await writeFile(join(folder, 'daemon.json'), daemonConfig(name))
  await writeFile(join(folder, 'sshd.conf'), sshdConfig)
  await writeFile(join(folder, 'start.sh'), hostScript)
  return folder
}

// A branch of its own, so that `down` can tell which cgroups the lab's containers left behind.
export const daemonConfig = (name: string) => JSON.stringify({ 'cgroup-parent': `/${cgroupBranch}/${name}` })
const cgroupBranch = 'stagecraft-lab'

async function removeCgroups(): Promise<void> {
  const root = '/sys/fs/cgroup'
  const controllers = await readdir(root, { withFileTypes: true })
  for (const folder of [root, ...controllers.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name))]) {
    await removeFolders(join(folder, cgroupBranch))
  }
}

/** Like `find -depth -type d -delete`: the files of a cgroup cannot be removed, and go with it. */
async function removeFolders(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined)
  if (entries === undefined) return
  for (const entry of entries) if (entry.isDirectory()) await removeFolders(join(folder, entry.name))
  await rmdir(folder).catch(() => undefined)
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}
