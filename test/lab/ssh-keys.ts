import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { hostAddress, type Layout, maxHosts } from './layout.ts'

/** Makes the key that every host accepts, once, and returns its public half. */
export async function openIdentity(layout: Layout): Promise<string> {
  return openKey(layout.identityFile, 'stagecraft-lab')
}

/** Makes a host's own key, once for each name, so that a host made anew is still known. */
export async function openHostKey(folder: string, name: string): Promise<void> {
  await openKey(join(folder, 'ssh_host_ed25519_key'), name)
}

/** Writes a known_hosts file for every host that has a key, by its name and by its address. */
export async function writeKnownHosts(layout: Layout): Promise<void> {
  const lines: string[] = []
  for (let index = 1; index <= maxHosts; index++) {
    const file = join(layout.dir, 'hosts', `host-${index}`, 'ssh_host_ed25519_key.pub')
    if (!existsSync(file)) continue
    const [type, key] = (await readFile(file, 'utf8')).split(' ')
    lines.push(`host-${index},${hostAddress(index)} ${type} ${key}\n`)
  }
  await writeFile(layout.knownHostsFile, lines.join(''))
}

async function openKey(file: string, comment: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  if (!existsSync(file)) await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file])
  return readFile(`${file}.pub`, 'utf8')
}
