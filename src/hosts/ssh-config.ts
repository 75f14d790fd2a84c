/**
 * Where and as whom to connect: what the manifest says of a host, completed by the user's OpenSSH client configuration
 * (ssh_config(5)), so that `ssh ADDRESS` and this tool reach the same machine. Host keys are the exception: they are
 * always verified, whatever `StrictHostKeyChecking` says.
 */

import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import SSHConfig, { glob, LineType } from 'ssh-config'
import { TaskFailure } from '../../tasks/kind.ts'
import type { HostAddress } from '../contracts.ts'
import { parseJumps } from '../host-address.ts'
import { localUser } from './local-user.ts'

export interface ConnectionSettings {
  /** The host's name in the manifest. */
  readonly name: string
  readonly hostName: string
  readonly port: number
  readonly user: string
  /** Under which name its key is looked up (`HostKeyAlias`). */
  readonly hostKeyName: string
  /** Absolute paths of private keys, in the order to try. */
  readonly identityFiles: readonly string[]
  /** Somebody named the files: they must exist, and are tried before the agent's other keys. */
  readonly identitiesNamed: boolean
  /** Use no other keys of the agent than those in `identityFiles`. */
  readonly identitiesOnly: boolean
  /** Path of the agent's socket. */
  readonly agentSocket?: string
  /** Absolute paths. The first is where a missing key is to be added. */
  readonly knownHostsFiles: readonly string[]
  /** Machines on the way there, the first one first (`ProxyJump`): each is reached through those before it. */
  readonly jumps: readonly ConnectionSettings[]
}

/** What of this machine and project decides about connections. */
export interface ConnectionSources {
  readonly homeDirectory: string
  /** Relative paths of the manifest start here. */
  readonly projectDirectory: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Paths as in the manifest: absolute, `~/…` or project-relative. */
  readonly knownHosts: readonly string[]
}

const defaultIdentities = ['id_ed25519', 'id_ecdsa', 'id_rsa']

/**
 * Reads `~/.ssh/config` with its includes and resolves one host.
 * @throws TaskFailure (refused) when the configuration cannot be read, or asks for what is not supported.
 */
export async function resolveConnection(host: HostAddress, sources: ConnectionSources): Promise<ConnectionSettings> {
  const file = join(sources.homeDirectory, '.ssh', 'config')
  const text = await readConfig(file, sources.homeDirectory, 0)
  return connectionSettings(host, text, sources)
}

/** The pure part: `configText` is the configuration with its includes in place. @throws TaskFailure (refused). */
export function connectionSettings(host: HostAddress, configText: string, sources: ConnectionSources): ConnectionSettings {
  return settingsOf(host, configText, sources, [])
}

/** @param beyond machines that are reached through this one, for which it was asked. */
function settingsOf(host: HostAddress, configText: string, sources: ConnectionSources, beyond: readonly string[]): ConnectionSettings {
  const config = lookUp(host.address, host.user, configText)
  const jump = host.jump ?? config.text('proxyjump')
  if (jump === undefined && (config.text('proxycommand') ?? 'none').toLowerCase() !== 'none') {
    throw refused(host.name, `~/.ssh/config reaches ${host.address} through \`proxycommand\`, which is not supported`, {
      remedy: `use \`ProxyJump\` there, or give ${host.name} a \`jump\` in the manifest`,
    })
  }
  const user = host.user ?? config.text('user') ?? localUser(sources.env)
  const port = host.port ?? Number(config.text('port') ?? 22)
  const hostName = (config.text('hostname') ?? host.address).replaceAll('%h', host.address).replaceAll('%%', '%')
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: sources.homeDirectory,
    h: hostName,
    n: host.address,
    p: String(port),
    r: user,
    u: localUser(sources.env),
  }
  const expand = (path: string) => {
    const plain = path
      .replace(/%([%dhnpru])/g, (_, token: string) => tokens[token] ?? '')
      .replace(/\$\{(\w+)\}/g, (_, name: string) => sources.env[name] ?? '')
    return plain.startsWith('~/') ? join(sources.homeDirectory, plain.slice(2)) : plain
  }
  const fromProject = (path: string) => resolve(sources.projectDirectory, expand(path))
  const fromConfig = (path: string) => resolve(sources.homeDirectory, '.ssh', expand(path))

  const named = [
    ...(host.identityFile === undefined ? [] : [fromProject(host.identityFile)]),
    ...config
      .list('identityfile')
      .filter((path) => path !== 'none')
      .map(fromConfig),
  ]
  const agent = agentSocket(config.text('identityagent'), sources.env, expand)
  return {
    name: host.name,
    hostName,
    port,
    user,
    hostKeyName: config.text('hostkeyalias') ?? hostName,
    identityFiles: named.length > 0 ? [...new Set(named)] : defaultIdentities.map(fromConfig),
    identitiesNamed: named.length > 0,
    identitiesOnly: config.text('identitiesonly')?.toLowerCase() === 'yes',
    ...(agent === undefined ? {} : { agentSocket: agent }),
    knownHostsFiles: [
      ...new Set([
        ...sources.knownHosts.map(fromProject),
        ...config
          .list('userknownhostsfile')
          .filter((path) => path !== 'none')
          .map(fromConfig),
      ]),
    ],
    jumps: jump === undefined ? [] : jumpsTo(host, jump, configText, sources, [...beyond, machineOf(host)]),
  }
}

/**
 * As `ssh -J` does: the first machine is reached as the configuration says, each other one through the one before it.
 * @throws TaskFailure (refused) when they are not understood, or go in circles.
 */
function jumpsTo(
  { name }: HostAddress,
  given: string,
  configText: string,
  sources: ConnectionSources,
  beyond: readonly string[],
): readonly ConnectionSettings[] {
  const addresses = parseJumps(given)
  if (addresses === undefined) {
    throw refused(
      name,
      `${name} is reached through \`${given}\`, expected \`[user@]address[:port]\`, several with commas between, or \`none\``,
    )
  }
  return addresses.flatMap((jump, index) => {
    if (beyond.includes(machineOf(jump))) {
      throw refused(name, `the way to ${beyond[0]} goes in circles: ${[...beyond, machineOf(jump)].join(' through ')}`)
    }
    const machine: HostAddress = { ...jump, name: jump.address, roles: [], ...(index === 0 ? {} : { jump: 'none' }) }
    const { jumps, ...settings } = settingsOf(machine, configText, sources, beyond)
    return [...jumps, { ...settings, jumps: [] }]
  })
}

/** Several can share an address, behind ports of one router. */
function machineOf({ address, port }: Pick<HostAddress, 'address' | 'port'>): string {
  return port === undefined ? address : `${address}:${port}`
}

interface HostConfig {
  text(name: string): string | undefined
  list(name: string): readonly string[]
}

/** Keys in lower case. A user from the manifest takes part in `Match user`, and wins over the file's. */
function lookUp(address: string, user: string | undefined, configText: string): HostConfig {
  let values: Record<string, string | string[]>
  try {
    const config = SSHConfig.parse(configText)
    withoutCanonicalization(config)
    // `Match exec` would run a program while a plan is made; ssh-config runs it through a shell.
    const options = { ignoreCase: true, matchExec: false }
    values = config.compute({ Host: address, ...(user === undefined ? {} : { User: user }) }, options)
  } catch (error) {
    throw refused(address, `~/.ssh/config cannot be read: ${(error as Error).message}`, { cause: error })
  }
  const list = (name: string) => [values[name] ?? []].flat().map((value) => value.replace(/^"(.*)"$/, '$1'))
  return { text: (name) => list(name)[0], list }
}

/** ssh-config answers `CanonicalizeHostname` by running nslookup; the address is the manifest's and stays as it is. */
function withoutCanonicalization(config: SSHConfig): void {
  for (let index = config.length - 1; index >= 0; index--) {
    const line = config[index]
    if (line?.type !== LineType.DIRECTIVE) continue
    if (line.param.toLowerCase() === 'canonicalizehostname') config.splice(index, 1)
    else if ('config' in line && line.config instanceof SSHConfig) withoutCanonicalization(line.config)
  }
}

function agentSocket(
  identityAgent: string | undefined,
  env: ConnectionSources['env'],
  expand: (path: string) => string,
): string | undefined {
  if (identityAgent === undefined || identityAgent === 'SSH_AUTH_SOCK') return env['SSH_AUTH_SOCK'] || undefined
  if (identityAgent === 'none') return undefined
  if (identityAgent.startsWith('$') && !identityAgent.startsWith('${')) return env[identityAgent.slice(1)] || undefined
  return expand(identityAgent)
}

/** OpenSSH stops at 16 as well. */
const includeDepth = 16

/** The file's text with `Include` lines replaced by what they name; empty when there is no such file. */
async function readConfig(file: string, homeDirectory: string, depth: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw refused(file, `${file} cannot be read: ${error.message}`, { cause: error })
  })
  const lines: string[] = []
  let section = 'Host *'
  for (const line of text.split('\n')) {
    const include = /^\s*include[\s=]+(.+?)\s*$/i.exec(line)?.[1]
    if (/^\s*(host|match)[\s=]/i.test(line)) section = line
    if (include === undefined || depth >= includeDepth) {
      lines.push(line)
      continue
    }
    for (const path of await includedFiles(include, homeDirectory)) lines.push(await readConfig(path, homeDirectory, depth + 1))
    // The included file may end inside a section of its own: go on in the one the line stands in.
    lines.push(section)
  }
  return lines.join('\n')
}

/** Globs in the last part of a path, which is where people use them. */
async function includedFiles(patterns: string, homeDirectory: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const quoted of patterns.match(/"[^"]*"|\S+/g) ?? []) {
    const path = quoted.replaceAll('"', '').replace(/^~\//, `${homeDirectory}/`)
    const absolute = isAbsolute(path) ? path : join(homeDirectory, '.ssh', path)
    if (!/[*?]/.test(absolute)) found.push(absolute)
    else {
      const names = await readdir(dirname(absolute)).catch(() => [])
      found.push(
        ...names
          .filter((name) => glob(basename(absolute), name))
          .sort()
          .map((name) => join(dirname(absolute), name)),
      )
    }
  }
  return found
}

function refused(subject: string, message: string, more: { remedy?: string; cause?: unknown } = {}): TaskFailure {
  const { remedy, cause } = more
  return new TaskFailure({ reason: 'refused', subject, message, ...(remedy === undefined ? {} : { remedy }) }, { cause })
}
