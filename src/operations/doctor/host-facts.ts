/** What `doctor` asks a host that answers. Nothing on it changes; what cannot be asked is undefined. */
import { posix } from 'node:path'
import type { Exit, Host } from '../../../tasks/ports.ts'
import { type LockLook, lookAtLock } from '../status/look.ts'

export interface FileSystem {
  /** What was asked about. */
  readonly path: string
  readonly freeBytes: number
  /** Undefined where files are not counted. */
  readonly freeFiles?: number
  readonly freeFilesShare?: number
}

/** A container that publishes ports, whoever it belongs to. */
export interface Publisher {
  readonly container: string
  readonly project: string
  readonly environment: string
  readonly ports: readonly number[]
}

export interface HostFacts {
  readonly engine: { readonly version?: string; readonly apiVersion?: string; readonly architecture?: string }
  /** Undefined when Compose is not there. */
  readonly compose?: string
  /** Its clock less ours. */
  readonly clockSkewSeconds?: number
  readonly fileSystems: readonly FileSystem[]
  /** The folder of the environment, or the nearest above it that is there, and whether we may write to it. */
  readonly folder: { readonly path: string; readonly isWritable: boolean }
  readonly publishers: readonly Publisher[]
  /** TCP ports something listens on. */
  readonly listening?: readonly number[]
  readonly lock?: LockLook
}

const timeoutMs = 20_000
const publisherFormat = '{{.Names}}\t{{.Label "stagecraft.project"}}\t{{.Label "stagecraft.env"}}\t{{.Ports}}'

/** @param nowMs this machine's clock. @throws TaskFailure when the host does not answer. */
export async function hostFacts(host: Host, nowMs: () => number): Promise<HostFacts> {
  const ask = (...argv: [string, ...string[]]) => host.run({ argv, timeoutMs })
  const { lock } = await host.observe()
  const folders = ancestors(host.directory)
  // sshd allows ten programs at once on a connection.
  const [engine, compose, skew, existing, publishers, sockets] = await Promise.all([
    ask('docker', 'info', '--format', '{{.ServerVersion}}\t{{.Architecture}}\t{{.DockerRootDir}}'),
    ask('docker', 'compose', 'version', '--short'),
    clockSkew(host, nowMs),
    ask('stat', '-c', '%n', ...folders),
    ask('docker', 'ps', '--format', publisherFormat),
    ask('ss', '-ltnH'),
  ])
  const [version, architecture, dataFolder] = engine.stdout.trim().split('\t')
  const there = new Set(existing.stdout.split('\n'))
  const folder = folders.find((path) => there.has(path)) ?? '/'
  const paths = [...new Set([folder, ...(engine.code === 0 && dataFolder ? [dataFolder] : [])])]
  const [blocks, files, writable, held] = await Promise.all([
    Promise.all(paths.map((path) => ask('df', '-Pk', path))),
    Promise.all(paths.map((path) => ask('df', '-Pi', path))),
    ask('test', '-w', folder),
    lock === undefined ? undefined : lookAtLock(host, lock),
  ])
  return {
    engine: engine.code === 0 ? { ...(version ? { version } : {}), ...(architecture ? { architecture } : {}) } : {},
    ...(compose.code === 0 ? { compose: compose.stdout.trim() } : {}),
    ...(skew === undefined ? {} : { clockSkewSeconds: skew }),
    fileSystems: paths.flatMap((path, index) => fileSystem(path, blocks[index], files[index])),
    folder: { path: folder, isWritable: writable.code === 0 },
    publishers: publishers.code === 0 ? publishersOf(publishers.stdout) : [],
    ...(sockets.code === 0 ? { listening: listeningPorts(sockets.stdout) } : {}),
    ...(held === undefined ? {} : { lock: held }),
  }
}

/** The question takes a moment, in the middle of which the host looks at its clock. */
async function clockSkew(host: Host, nowMs: () => number): Promise<number | undefined> {
  const before = nowMs()
  const { code, stdout } = await host.run({ argv: ['date', '+%s'], timeoutMs })
  const theirs = Number(stdout.trim())
  if (code !== 0 || !Number.isFinite(theirs) || stdout.trim() === '') return undefined
  // They tell whole seconds, half of one too little on average.
  return theirs + 0.5 - (before + nowMs()) / 2000
}

/** The folder itself first, `/` last. */
function ancestors(directory: string): [string, ...string[]] {
  const parent = posix.dirname(directory)
  return parent === directory ? [directory] : [directory, ...ancestors(parent)]
}

/** Answers of `df -P` (POSIX): a heading, then one line with sizes from the second word on. */
export function fileSystem(path: string, blocks: Exit | undefined, files: Exit | undefined): FileSystem[] {
  const free = columns(blocks)
  if (free === undefined) return []
  const counted = columns(files)
  const all = counted === undefined ? 0 : counted.used + counted.free
  return [
    {
      path,
      freeBytes: free.free * 1024,
      ...(counted === undefined || all === 0 ? {} : { freeFiles: counted.free, freeFilesShare: counted.free / all }),
    },
  ]
}

function columns(exit: Exit | undefined): { readonly used: number; readonly free: number } | undefined {
  if (exit === undefined || exit.code !== 0) return undefined
  const match = /\s(\d+)\s+(\d+)\s+(\d+)\s+(?:\d+%|-)\s+\//.exec(exit.stdout.split('\n').slice(1).join(' '))
  return match ? { used: Number(match[2]), free: Number(match[3]) } : undefined
}

/** `0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 127.0.0.1:9000-9001->9000-9001/tcp`. */
export function publishersOf(text: string): readonly Publisher[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const [container = '', project = '', environment = '', published = ''] = line.split('\t')
      const ports = [...published.matchAll(/:(\d+)(?:-(\d+))?->/g)].flatMap(([, from, to]) => range(Number(from), Number(to ?? from)))
      return ports.length === 0 ? [] : [{ container, project, environment, ports: [...new Set(ports)] }]
    })
}

/** The fourth word of each line is the local address. */
export function listeningPorts(text: string): readonly number[] {
  const ports = text.split('\n').flatMap((line) => /:(\d+)$/.exec(line.trim().split(/\s+/)[3] ?? '')?.[1] ?? [])
  return [...new Set(ports.map(Number))].sort((a, b) => a - b)
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, Math.min(to - from, 65_535) + 1) }, (_, index) => from + index)
}
