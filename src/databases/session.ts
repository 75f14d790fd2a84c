/**
 * One connection to one PostgreSQL server, and never a second one behind our back: an advisory lock lives as long as its
 * connection, so a silent reconnect would go on without it.
 */
import { readFile } from 'node:fs/promises'
import { createConnection, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Options, Sql } from 'postgres'
import { TaskFailure } from '../../tasks/kind.ts'
import { createRedactor } from '../secrets/redact.ts'
import { type Dsn, parseDsn } from './dsn.ts'
import { asFailure, connectionLost } from './server-error.ts'

export interface SessionOptions {
  readonly connectionString: string
  /** Variable the connection string is from: named in failures. */
  readonly variable: string
  /** Name of the database in the manifest. */
  readonly name: string
  readonly applicationName: string
  /** Opens a stream to the server another way than directly: through the host's SSH connection. */
  readonly connect?: (address: { readonly host: string; readonly port: number; readonly socketPath?: string }) => Promise<Duplex>
  /** Default 10 s. */
  readonly connectTimeoutMs?: number
}

export interface Session {
  readonly sql: Sql
  /** What a query of `sql` answers. @throws errors of the driver; TaskFailure when the connection went away while it waited. */
  answer<T>(query: PromiseLike<T>): Promise<T>
  /** Sends text as it is (simple protocol), so that `close` can cancel it. @throws errors of the driver. */
  run(text: string): Promise<void>
  /** What to say of the database: `database \`main\``. */
  readonly subject: string
  /** True once the connection is gone, for whatever reason. */
  isLost(): boolean
  /** An error of the driver or server as a failure without secrets; a failure stays one. */
  failure(error: unknown): TaskFailure
  redact(text: string): string
  /** Cancels what runs and hangs up; safe to call twice. */
  close(): Promise<void>
}

const closeTimeoutMs = 5_000
/** What the driver gets to tell of a connection that is gone. A query it sent at that very moment, it forgets. */
const lastWordsMs = 1_000

/**
 * Connects and logs in.
 * @throws TaskFailure: `unreachable` when nothing listens yet or the server is starting (worth waiting for), `timeout`, or
 * `refused` when it or the network said no.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const dsn = parseDsn(options.connectionString, options.variable)
  const redact = createRedactor([options.connectionString, ...(dsn.password === undefined ? [] : [dsn.password])])
  const subject = `database \`${options.name}\``
  const timeoutMs = options.connectTimeoutMs ?? 10_000
  const where = dsn.socketPath ?? `${dsn.host}:${dsn.port}`
  const failure = (error: unknown) => asFailure(error, subject, where, redact)
  let stream: Duplex | undefined
  let lost = false
  let mayCancel = false
  let closing: Promise<void> | undefined
  let running: { cancel(): void } | undefined
  let gone = () => {}
  const ended = new Promise<never>((_, reject) => {
    gone = () => reject(new TaskFailure(connectionLost(subject, where)))
  })
  ended.catch(() => undefined)
  const answer = <T>(query: PromiseLike<T>): Promise<T> => Promise.race([query, ended])

  const socket = async (): Promise<Duplex> => {
    // The driver asks again to reconnect, and to cancel; only the latter is wanted.
    if (stream && !mayCancel) throw new TaskFailure(connectionLost(subject, where))
    mayCancel = false
    const opened = await (options.connect ?? connectDirectly)({
      host: dsn.host,
      port: dsn.port,
      ...(dsn.socketPath ? { socketPath: dsn.socketPath } : {}),
    })
    if (stream === undefined) opened.once('close', () => setTimeout(gone, closing === undefined ? lastWordsMs : 0))
    stream ??= opened
    // What the driver reads of a net.Socket: the name to verify, and whether there is still somebody to say goodbye to.
    if (!('readyState' in opened)) Object.defineProperty(opened, 'readyState', { get: () => (opened.destroyed ? 'closed' : 'open') })
    return Object.assign(opened, { host: dsn.host })
  }
  const { default: postgres } = await import('postgres')
  const sql = postgres({ ...(await driverOptions(dsn, options)), socket, onclose: () => (lost = true) } as Options<Record<string, never>>)

  const run = async (text: string) => {
    const query = sql.unsafe(text).simple()
    running = query
    try {
      await answer(query)
    } finally {
      running = undefined
    }
  }
  const close = () => {
    mayCancel = running !== undefined
    running?.cancel()
    closing ??= hangUp(sql, () => stream, closeTimeoutMs)
    return closing
  }
  try {
    const late = () => new TaskFailure({ reason: 'timeout', subject, message: `${where} did not answer within ${timeoutMs / 1000} s` })
    await deadline(timeoutMs, answer(sql`select 1`), late)
  } catch (error) {
    closing = hangUp(sql, () => stream, 0)
    await closing
    throw failure(error)
  }
  return { sql, answer, run, subject, isLost: () => lost, failure, redact, close }
}

async function driverOptions(dsn: Dsn, { applicationName, connect }: SessionOptions): Promise<Readonly<Record<string, unknown>>> {
  return {
    host: [dsn.host],
    port: [dsn.port],
    ...(dsn.user === undefined ? {} : { user: dsn.user }),
    ...(dsn.password === undefined ? {} : { password: dsn.password }),
    ...(dsn.database === undefined ? {} : { database: dsn.database }),
    ssl: await tls(dsn, connect !== undefined),
    max: 1,
    // Poolers in front of a server do not know prepared statements; the types of arrays are not needed.
    prepare: false,
    fetch_types: false,
    idle_timeout: null,
    max_lifetime: null,
    // The deadline is ours: it also covers the tunnel.
    connect_timeout: 0,
    onnotice: () => undefined,
    connection: { application_name: applicationName, ...(dsn.options === undefined ? {} : { options: dsn.options }) },
  }
}

/** As libpq: encrypted if the server can, unless the connection string says more. Inside a tunnel or a machine that adds nothing. */
async function tls(dsn: Dsn, isTunnel: boolean): Promise<unknown> {
  const isPrivate = isTunnel || ['localhost', '127.0.0.1', '::1'].includes(dsn.host)
  const mode = dsn.sslMode ?? (isPrivate ? 'disable' : 'prefer')
  if (dsn.socketPath !== undefined || mode === 'disable') return false
  if (mode !== 'verify-ca' && mode !== 'verify-full') return mode
  const ca = dsn.sslRootCert !== undefined && dsn.sslRootCert !== 'system' ? await certificate(dsn.sslRootCert) : undefined
  return {
    rejectUnauthorized: true,
    // An address is no name to ask for, but it is what the certificate must vouch for.
    ...(isIP(dsn.host) === 0 ? { servername: dsn.host } : { host: dsn.host }),
    ...(ca ? { ca } : {}),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}

async function certificate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new TaskFailure({
      reason: 'refused',
      subject: path,
      message: `the certificate of \`sslrootcert\` cannot be read: ${(error as Error).message}`,
    })
  }
}

function connectDirectly(address: { readonly host: string; readonly port: number; readonly socketPath?: string }): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = address.socketPath === undefined ? createConnection(address.port, address.host) : createConnection(address.socketPath)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

async function hangUp(sql: Sql, stream: () => Duplex | undefined, timeoutMs: number): Promise<void> {
  try {
    await sql.end({ timeout: timeoutMs / 1000 })
  } finally {
    stream()?.destroy()
  }
}

async function deadline<T>(timeoutMs: number, work: PromiseLike<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), timeoutMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
