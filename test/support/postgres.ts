/** A private PostgreSQL server on loopback, for tests of what only a real one can answer. */
import { spawn } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export interface TestServer {
  readonly port: number
  /** Folder of its Unix socket. */
  readonly socketDirectory: string
  /** Path of the certificate it shows for `localhost`, where the machine has `openssl` to make one. */
  readonly certificate: string | undefined
  /** Connection string of a new, empty database. */
  database(): Promise<string>
  stop(): Promise<void>
}

export const password = 'hunter2-with-#specials'
const user = 'anna'

/** Folder of `initdb` and `postgres`, or undefined after saying why the tests that need them are skipped. */
export function postgresBinaries(): string | undefined {
  const installed = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
    : []
  const found = [...installed, ...(process.env['PATH'] ?? '').split(delimiter)].find((folder) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))),
  )
  if (!found) process.stdout.write('\n  skipped: no PostgreSQL server binaries on this machine\n')
  return found
}

/** Starts a server of its own in a temporary folder. It refuses to run as root, so root lends it another user. */
export async function startPostgres(binaries: string): Promise<TestServer> {
  const root = await mkdtemp(join(tmpdir(), 'stagecraft-pg-'))
  const identity = process.getuid?.() === 0 ? unprivileged() : undefined
  const [data, socketDirectory, passwordFile] = [join(root, 'data'), join(root, 'socket'), join(root, 'password')]
  await mkdir(socketDirectory)
  await writeFile(passwordFile, password)
  if (identity) for (const path of [root, socketDirectory, passwordFile]) chownSync(path, identity.uid, identity.gid)
  await finished(
    spawn(
      join(binaries, 'initdb'),
      ['-D', data, '-U', user, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '--no-sync'],
      { ...identity, cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
    ),
  )
  const certificate = await makeCertificate(root, identity)
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${socketDirectory}`,
    'fsync=off',
    'max_connections=20',
    ...(certificate ? ['ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${certificate}.key`] : []),
  ]
  const server = spawn(join(binaries, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...identity,
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const killServer = () => void server.kill('SIGKILL')
  process.once('exit', killServer)
  await new Promise<void>((resolve, reject) => {
    let log = ''
    server.stderr.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('exit', () => reject(new Error(`the server did not start:\n${log}`)))
  })
  const address = `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}`
  let databases = 0
  return {
    certificate,
    port,
    socketDirectory,
    database: async () => {
      databases += 1
      const name = `test_${databases}`
      await query(`${address}/postgres`, `create database ${name}`)
      return `${address}/${name}`
    },
    stop: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGINT')
      await ended
      process.off('exit', killServer)
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Runs SQL on a connection of its own. @returns the rows. */
export async function query(connectionString: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { default: postgres } = await import('postgres')
  const sql = postgres(connectionString, { max: 1, onnotice: () => undefined })
  try {
    return (await sql.unsafe(text)).map((row) => ({ ...row }))
  } finally {
    await sql.end()
  }
}

async function makeCertificate(
  folder: string,
  identity: { readonly uid: number; readonly gid: number } | undefined,
): Promise<string | undefined> {
  const path = join(folder, 'server.crt')
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2', '-nodes']
  const argv = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', `${path}.key`, '-out', path, ...subject]
  try {
    await finished(spawn('openssl', argv, { ...identity, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }))
    return path
  } catch {
    return undefined
  }
}

function unprivileged(): { readonly uid: number; readonly gid: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = lines.find((candidate) => candidate.startsWith('postgres:')) ?? lines.find((candidate) => candidate.startsWith('nobody:'))
  const [, , uid, gid] = (line ?? '').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

function finished(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`exit ${code}\n${log}`))))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
