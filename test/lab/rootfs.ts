import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { docker, imageExists } from './engine.ts'
import type { Layout } from './layout.ts'

/** Root file systems made from Debian packages alone, kept as images in this machine's engine. The number rises with the recipe. */
export const rootfsImages = {
  host: 'stagecraft-lab/host-rootfs:1',
  bare: 'stagecraft-lab/bare-rootfs:1',
  postgres: 'stagecraft-lab/postgres-rootfs:1',
} as const

const mirror = 'http://deb.debian.org/debian'
const hostPackages = 'openssh-server,docker.io,docker-cli,docker-compose,iptables,ca-certificates,curl,sudo'

/** The image that hosts run: sshd and a Docker engine on Debian. Takes about a minute the first time. */
export async function openHostRootfs(layout: Layout): Promise<string> {
  return openRootfs(layout, rootfsImages.host, (root) => debootstrap(root, ['--include', hostPackages]))
}

/** What a provider hands out: Debian and sshd. No Docker. */
export async function openBareRootfs(layout: Layout): Promise<string> {
  return openRootfs(layout, rootfsImages.bare, (root) => debootstrap(root, ['--include', 'openssh-server,ca-certificates']))
}

/** A small Debian with PostgreSQL's programs, and no cluster in it. */
export async function openPostgresRootfs(layout: Layout): Promise<string> {
  return openRootfs(layout, rootfsImages.postgres, async (root) => {
    await debootstrap(root, [])
    // The package would make a cluster and start it, inside the folder we are about to pack.
    await mkdir(join(root, 'etc/postgresql-common'), { recursive: true })
    await writeFile(join(root, 'etc/postgresql-common/createcluster.conf'), 'create_main_cluster = false\n')
    await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    const options = ['--yes', '--quiet', '--no-install-recommends', '--option', 'Dpkg::Options::=--force-confold']
    const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
    await execa('chroot', [root, 'apt-get', ...options, 'install', 'postgresql'], { env, stdin: 'ignore' })
  })
}

async function openRootfs(layout: Layout, image: string, fill: (root: string) => Promise<void>): Promise<string> {
  if (await imageExists(image)) return image
  const root = await mkdtemp(join(layout.dir, 'rootfs-'))
  try {
    await fill(root)
    const bulk = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']
    await Promise.all(bulk.map((path) => rm(join(root, path), { recursive: true, force: true })))
    await execa('tar', ['--directory', root, '--numeric-owner', '--create', '.'], { buffer: false }).pipe('docker', ['import', '-', image])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
  return image
}

async function debootstrap(root: string, options: readonly string[]): Promise<void> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  // The last argument names debootstrap's script: an older debootstrap has none called trixie, and Debian's are all this one.
  await execa('debootstrap', ['--variant=minbase', `--keyring=${keyring}`, ...options, 'trixie', root, mirror, 'sid'], { stdin: 'ignore' })
}

export async function removeRootfs(): Promise<void> {
  for (const image of Object.values(rootfsImages)) if (await imageExists(image)) await docker(['image', 'rm', '--force', image])
}
