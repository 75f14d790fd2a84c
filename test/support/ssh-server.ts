import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2, { type Connection, type ServerChannel, type Session } from 'ssh2'
import type { Failure } from '../../graph/types.ts'
import { createRemoteHost, type RemoteHost, type RemoteHostOptions } from '../../src/hosts/remote-host.ts'
import { TaskFailure } from '../../tasks/kind.ts'
import { serveSftp } from './sftp-server.ts'

type KeyKind = 'ed25519' | 'rsa' | 'ecdsa'

export interface SshServerOptions {
  /** Kinds of host keys the server has; all are usable, the first is pinned. */
  readonly hostKeys?: readonly KeyKind[]
  /** Authentication methods the server offers. */
  readonly methods?: ('publickey' | 'password')[]
  readonly acceptKeys?: boolean | ((key: Buffer) => boolean)
  /** Thinks about a key, and listens meanwhile. */
  readonly thinksMs?: number
  /** Methods of key exchange; default: all there are. */
  readonly keyExchange?: readonly 'ecdh-sha2-nistp256'[]
  readonly forwardSockets?: boolean
  /** The Engine API, as it answers. */
  readonly engine?: (request: IncomingMessage, response: ServerResponse) => void
  /** What `docker version` says when it fails. */
  readonly dockerProgram?: { readonly code: number; readonly stderr: string }
  /** Takes the SFTP subsystem's raw channel instead of the files of this machine. */
  readonly rawSftp?: (channel: ServerChannel) => void
  readonly refuseSftp?: boolean
  readonly ignoreKeepalives?: boolean
}

/** An SSH server on loopback with a Docker engine that is what the test says, and files in a temporary folder. */
export interface SshServer {
  readonly port: number
  /** The environment's directory; it does not exist yet. */
  readonly directory: string
  /** The client's home: key, known_hosts. */
  readonly home: string
  readonly knownHosts: string
  /** `known_hosts` lines of all host keys. */
  readonly hostKeyLines: readonly string[]
  readonly counts: { attempts: number; connections: number; engineChannels: number; engineRequests: string[] }
  readonly execs: string[]
  readonly sftpLog: string[]
  intercept: ((operation: string, path: string) => number | undefined) | undefined
  /** Pretends not to hear, so that requests stay unanswered. */
  pause(): void
  resume(): void
  /** Cuts every connection without a word. */
  cut(): void
  host(change?: Partial<RemoteHostOptions>): RemoteHost
  close(): Promise<void>
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const root = mkdtempSync(join(tmpdir(), 'stagecraft-ssh-'))
  const home = join(root, 'home')
  mkdirSync(join(home, '.ssh'), { recursive: true })
  const clientKey = makeKey('ed25519')
  writeFileSync(join(home, '.ssh', 'id_ed25519'), clientKey.private, { mode: 0o600 })
  const hostKeys = (options.hostKeys ?? ['ed25519']).map(makeKey)
  const counts: SshServer['counts'] = { attempts: 0, connections: 0, engineChannels: 0, engineRequests: [] }
  const execs: string[] = []
  const sftpLog: string[] = []
  const children = new Set<ChildProcess>()
  const sockets = new Set<Socket>()
  const hosts: RemoteHost[] = []
  const engine = options.engine === undefined ? undefined : await startEngine(join(root, 'engine.sock'), options.engine, counts)

  const { acceptKeys = true, thinksMs } = options
  const algorithms = options.keyExchange ? { algorithms: { kex: [...options.keyExchange] } } : {}
  const config = { hostKeys: hostKeys.map((key) => key.private), ident: 'OpenSSH_9.6-test', ...algorithms }
  const server = new ssh2.Server(config, (connection) => {
    counts.attempts++
    connection.on('error', () => undefined)
    connection.on('authentication', (context) => {
      const isRight = context.method === 'publickey' && (typeof acceptKeys === 'boolean' ? acceptKeys : acceptKeys(context.key.data))
      const answer = () => (isRight ? context.accept() : context.reject(options.methods ?? ['publickey']))
      if (thinksMs === undefined) answer()
      else setTimeout(answer, thinksMs)
    })
    connection.on('ready', () => {
      counts.connections++
      serveConnection(connection)
    })
  })

  function serveConnection(connection: Connection): void {
    connection.on('session', (accept) => serveSession(accept()))
    connection.on('tcpip', (accept, reject, info) => {
      const socket = connect(info.destPort, info.destIP)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        const channel = accept()
        socket.on('error', () => channel.close())
        channel.on('error', () => socket.destroy())
        channel.pipe(socket).pipe(channel)
      })
    })
    if (options.forwardSockets === false) return
    connection.on('openssh.streamlocal', (accept, reject, info) => {
      if (engine === undefined || info.socketPath !== '/var/run/docker.sock') return reject()
      counts.engineChannels++
      pipeToEngine(accept())
    })
  }

  function pipeToEngine(channel: ServerChannel): void {
    const socket = connect(engine?.path ?? '')
    socket.on('error', () => channel.close())
    channel.on('error', () => socket.destroy())
    channel.on('close', () => socket.destroy())
    channel.pipe(socket).pipe(channel)
  }

  function serveSession(session: Session): void {
    if (options.rawSftp !== undefined) {
      session.on('subsystem', (accept) => options.rawSftp?.(accept()))
    } else {
      session.on('sftp', (accept, reject) => {
        if (options.refuseSftp) return reject()
        serveSftp(accept(), { log: sftpLog, intercept: (operation, path) => result.intercept?.(operation, path) })
      })
    }
    let child: ChildProcess | undefined
    session.on('signal', (accept, _reject, info) => {
      accept?.()
      child?.kill(`SIG${info.name}` as NodeJS.Signals)
    })
    session.on('exec', (accept, _reject, { command }) => {
      execs.push(command)
      const channel = accept()
      if (/docker'? 'version'/.test(command)) {
        if (options.dockerProgram) channel.stderr.write(options.dockerProgram.stderr)
        channel.exit(options.dockerProgram?.code ?? 0)
        channel.end()
      } else if (command.includes('dial-stdio')) {
        counts.engineChannels++
        pipeToEngine(channel)
      } else child = runProgram(command, channel, children)
    })
  }

  // In front of ssh2's server, so that it can be made deaf.
  await listen(server, 0)
  const inner = (server.address() as AddressInfo).port
  const front = createTcpServer({ noDelay: true }, (socket) => {
    const onward = connect({ port: inner, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await listen(front, 0)
  const port = (front.address() as AddressInfo).port
  const hostKeyLines = hostKeys.map((key) => `[127.0.0.1]:${port} ${key.public.split(' ').slice(0, 2).join(' ')}`)
  const knownHosts = join(root, 'known_hosts')
  writeFileSync(knownHosts, `${hostKeyLines[0]}\n`)

  const result: SshServer = {
    port,
    directory: join(root, 'opt', 'shop', 'prod'),
    home,
    knownHosts,
    hostKeyLines,
    counts,
    execs,
    sftpLog,
    intercept: undefined,
    pause: () => sockets.forEach((socket) => void socket.pause()),
    resume: () => sockets.forEach((socket) => void socket.resume()),
    cut: () => sockets.forEach((socket) => void socket.destroy()),
    host(change = {}) {
      const host = createRemoteHost({
        address: { name: 'node-1', address: '127.0.0.1', port, user: 'deploy', roles: [] },
        project: 'shop',
        environment: 'prod',
        directory: result.directory,
        knownHosts: [knownHosts],
        homeDirectory: home,
        projectDirectory: root,
        env: {},
        signal: new AbortController().signal,
        connectTimeoutMs: 5_000,
        ...change,
      })
      hosts.push(host)
      return host
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(hosts.map((host) => host.close()))
      await Promise.all([new Promise((resolve) => front.close(resolve)), new Promise((resolve) => server.close(() => resolve(undefined)))])
      engine?.server.closeAllConnections()
      engine?.server.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
  return result
}

/** One ed25519 key in a few hundred that ssh2 makes cannot be read again. */
export function makeKey(kind: KeyKind): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair =
      kind === 'ed25519'
        ? ssh2.utils.generateKeyPairSync('ed25519')
        : ssh2.utils.generateKeyPairSync(kind, { bits: kind === 'rsa' ? 2048 : 256 })
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}

function runProgram(command: string, channel: ServerChannel, children: Set<ChildProcess>): ChildProcess {
  const child = spawn('/bin/sh', ['-c', command], { detached: false })
  children.add(child)
  channel.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  channel.pipe(child.stdin)
  child.stdout.on('data', (chunk: Buffer) => channel.write(chunk))
  child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk))
  child.on('close', (code, signal) => {
    children.delete(child)
    if (signal === null) channel.exit(code ?? 0)
    else channel.exit(signal.replace('SIG', ''), false, '')
    channel.end()
  })
  return child
}

async function startEngine(
  path: string,
  answer: NonNullable<SshServerOptions['engine']>,
  counts: SshServer['counts'],
): Promise<{ readonly path: string; readonly server: HttpServer }> {
  const server = createServer((request, response) => {
    counts.engineRequests.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return { path, server }
}

function listen(server: { listen(port: number, host: string, done: () => void): unknown }, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
}

/** A test's body with a server that is closed afterwards. */
export function onServer(options: SshServerOptions, work: (server: SshServer) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await startSshServer(options)
    try {
      await work(server)
    } finally {
      await server.close()
    }
  }
}

/** The failure a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error = await promise.then(
    () => new Error('expected a failure, but the promise resolved'),
    (reason: unknown) => reason,
  )
  if (error instanceof TaskFailure) return error.failure
  throw error
}
