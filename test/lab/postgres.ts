import { appendFile, chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import type { Credentials } from './credentials.ts'
import { detachedPid, startDetached, stopDetached } from './detached.ts'
import { waitFor } from './engine.ts'
import type { Layout } from './layout.ts'
import { postgresBinary } from './postgres-binary.ts'

/** Starts a database server of the lab's own, empty at first, unless it runs already. Durability is off: it is for tests. */
export async function startPostgres(layout: Layout, { postgresPassword }: Credentials): Promise<void> {
  if ((await detachedPid(layout.dir, 'postgres')) !== undefined) return
  const [postgres, initdb] = [postgresBinary('postgres'), postgresBinary('initdb')]
  if (postgres === undefined || initdb === undefined) throw new Error('no PostgreSQL server programs on this machine')
  const user = { uid: await userId('--user'), gid: await userId('--group') }
  const data = join(layout.postgresDir, 'data')
  await removePostgresData(layout)
  await mkdir(layout.postgresDir, { recursive: true })
  // The server refuses to run as root, and must be able to enter the folders above its data.
  await chmod(dirname(layout.postgresDir), 0o755)
  await chown(layout.postgresDir, user.uid, user.gid)
  const passwordFile = join(layout.postgresDir, 'password')
  await writeFile(passwordFile, `${postgresPassword}\n`, { mode: 0o600 })
  await chown(passwordFile, user.uid, user.gid)
  const options = [
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ]
  await execa(initdb, ['--pgdata', data, ...options], { ...user, cwd: '/' })
  await rm(passwordFile)
  await appendFile(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 scram-sha-256\n')
  const settings = [
    `listen_addresses=${layout.network.gateway}`,
    `port=${layout.postgresPort}`,
    'unix_socket_directories=',
    'max_connections=200',
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
  ]
  await startDetached(layout.dir, 'postgres', [postgres, '-D', data, ...settings.flatMap((setting) => ['-c', setting])], user)
  await waitFor(`PostgreSQL (see ${layout.dir}/log/postgres.log)`, 30_000, () => portAnswers(layout.network.gateway, layout.postgresPort))
}

/** Stops the server and forgets its data. */
export async function stopPostgres(layout: Layout): Promise<void> {
  // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for clients to leave.
  await stopDetached(layout.dir, 'postgres', 'SIGINT')
  await removePostgresData(layout)
}

/** Whether something accepts connections there. */
export async function portAnswers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => settle(true))
    socket.on('timeout', () => settle(false))
    socket.on('error', () => settle(false))
  })
}

async function removePostgresData(layout: Layout): Promise<void> {
  await rm(layout.postgresDir, { recursive: true, force: true })
}

async function userId(flag: '--user' | '--group'): Promise<number> {
  return Number((await execa('id', [flag, 'postgres'])).stdout)
}
