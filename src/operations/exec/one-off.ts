/**
 * A container of its own for one program: the current release's image, environment and networks of a service. Compose makes it, on the host;
 * the system's `ssh` carries the streams. Its labels say who it is for, so that what a killed run left is found and removed.
 */
import { homedir } from 'node:os'
import { TaskFailure } from '../../../tasks/kind.ts'
import type { Host } from '../../../tasks/ports.ts'
import { type App, type ExitCode, programCode } from '../../contracts.ts'
import { isGone, thisProcess } from '../../releases/process-identity.ts'
import type { Fleet } from '../fleet.ts'
import { inheritSsh } from '../ssh/run-ssh.ts'
import { sshCommand } from '../ssh/ssh-command.ts'
import { sshTarget } from '../ssh/ssh-target.ts'
import type { ExecOptions } from './run-exec.ts'

/** `<project>/<environment>` and who runs it, as JSON. */
export const oneOffLabels = { of: 'stagecraft.one-off', owner: 'stagecraft.one-off.owner' } as const

/** What the login shell of the host exports would win over the bundle's `.env`, so Compose gets none of it. */
const cleanEnvironment = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin'] as const

export interface OneOff {
  readonly project: string
  readonly environment: string
  readonly composeProject: string
  /** Absolute, on the host. */
  readonly composeFile: string
  readonly owner: string
}

/** The words for the host. Labels of the service's own containers are emptied, so that nobody counts this one among them. */
export function oneOffCommand(run: OneOff, options: Omit<ExecOptions, 'replica'>): readonly string[] {
  const labels = {
    'stagecraft.project': '',
    'stagecraft.env': '',
    'stagecraft.service': '',
    'stagecraft.hash': '',
    [oneOffLabels.of]: `${run.project}/${run.environment}`,
    [oneOffLabels.owner]: run.owner,
  }
  return [
    ...cleanEnvironment,
    ...['docker', 'compose', '--project-name', run.composeProject, '--file', run.composeFile, 'run', '--rm', '--no-deps'],
    ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...(options.terminal ? [] : ['--no-TTY']),
    ...(options.input ? [] : ['--interactive=false']),
    ...(options.user === undefined ? [] : ['--user', options.user]),
    ...(options.directory === undefined ? [] : ['--workdir', options.directory]),
    options.service,
    ...options.argv,
  ]
}

/** On the first selected host. @returns the program's exit code. */
export async function runOneOff(fleet: Fleet, options: ExecOptions, app: App): Promise<ExitCode> {
  const { deployment } = fleet
  const [address] = fleet.hosts
  if (address === undefined) throw new Error('a selection without hosts')
  const host = fleet.host(address.name)
  const { project, environment, composeProject } = deployment
  await removeLeftovers(fleet, host)
  if ((await host.observe()).bundle === undefined) {
    const message = `no release of ${environment} is on ${host.name}`
    throw new TaskFailure({
      reason: 'refused',
      subject: host.name,
      message,
      remedy: `deploy first: stagecraft deploy --env ${environment}`,
    })
  }
  const owner = JSON.stringify(thisProcess())
  const composeFile = `${host.directory}/current/docker-compose.yml`
  const words = oneOffCommand({ project, environment, composeProject, composeFile, owner }, options)
  const sources = { projectDirectory: fleet.opened.directory, homeDirectory: app.env['HOME'] ?? homedir() }
  const target = sshTarget(address, deployment, sources)
  try {
    return programCode(await inheritSsh(sshCommand(target, words, options.terminal ? 'ask' : 'none'), app))
  } finally {
    await removeLeftovers(fleet, host, owner)
  }
}

/** Those that have ended, those whose process on this machine is gone, and those of `finished`. */
export async function removeLeftovers(fleet: Fleet, host: Host, finished?: string): Promise<readonly string[]> {
  const { project, environment } = fleet.deployment
  const all = await fleet.operator(host.name).containers()
  const leftovers = all.filter(
    ({ labels, isRunning }) =>
      labels[oneOffLabels.of] === `${project}/${environment}` &&
      (!isRunning || labels[oneOffLabels.owner] === finished || isAbandoned(labels[oneOffLabels.owner])),
  )
  for (const { id } of leftovers) await host.engine.remove(id)
  return leftovers.map(({ name }) => name)
}

/** Of a process of another machine nothing is known. */
export function isAbandoned(owner: string | undefined): boolean {
  try {
    const { host, pid, start } = JSON.parse(owner ?? '') as Record<string, unknown>
    return typeof host === 'string' && typeof pid === 'number' && typeof start === 'string' && isGone({ host, pid, start })
  } catch {
    return false
  }
}
