import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Layout } from './layout.ts'

/** The lab's passwords, made once and kept as long as the lab's folder. */
export interface Credentials {
  readonly registry: { readonly username: string; readonly password: string }
  readonly postgresPassword: string
}

/** Reads or makes the passwords, and the Docker client configuration that holds the registry's. */
export async function openCredentials(layout: Layout): Promise<Credentials> {
  const file = join(layout.dir, 'credentials.json')
  if (existsSync(file)) return JSON.parse(await readFile(file, 'utf8')) as Credentials
  const credentials: Credentials = {
    registry: { username: 'lab', password: randomBytes(12).toString('hex') },
    postgresPassword: randomBytes(12).toString('hex'),
  }
  const { username, password } = credentials.registry
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  await mkdir(layout.dockerConfigDir, { recursive: true })
  await writeFile(join(layout.dockerConfigDir, 'config.json'), JSON.stringify({ auths: { [layout.registry.address]: { auth } } }), {
    mode: 0o600,
  })
  await writeFile(file, JSON.stringify(credentials), { mode: 0o600 })
  return credentials
}

/** A line for an htpasswd file. The registry takes bcrypt only, which perl's `crypt` knows and Node does not. */
export async function htpasswdLine(username: string, password: string): Promise<string> {
  const letters = randomBytes(16).toString('base64').replaceAll('+', '.').slice(0, 21)
  // The 22nd letter of a bcrypt salt holds two bits only, and `O` is one of the four letters it can be.
  const { stdout } = await execa('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, `$2y$05$${letters}O`])
  return `${username}:${stdout}\n`
}
