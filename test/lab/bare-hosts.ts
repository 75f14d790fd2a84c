/** Servers as a provider hands them out, for the guide: Debian and sshd, with root's key on them, and no Docker until somebody installs it. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { docker, waitFor } from './engine.ts'
import { hostRunArgs } from './host-run.ts'
import { daemonConfig } from './hosts.ts'
import type { Lab, LabHost } from './lab.ts'
import { labLayout, maxHosts } from './layout.ts'
import { portAnswers } from './postgres.ts'
import { openBareRootfs } from './rootfs.ts'

/** Starts them anew. Their addresses come after those of all other hosts. */
export async function startBareHosts(lab: Lab, names: readonly string[]): Promise<readonly LabHost[]> {
  const layout = labLayout()
  const image = await openBareRootfs(layout)
  return Promise.all(
    names.map(async (name, index) => {
      const host = { name, address: `10.87.77.${10 + maxHosts + 1 + index}`, port: 22, container: `stagecraft-lab-bare-${index + 1}` }
      const folder = join(layout.dir, 'hosts', host.container)
      await mkdir(folder, { recursive: true })
      await copyFile(lab.registry.caFile, join(folder, 'registry-ca.crt'))
      await copyFile(`${lab.identityFile}.pub`, join(folder, 'authorized_keys'))
      await writeFile(join(folder, 'daemon.json'), daemonConfig(name))
      await writeFile(join(folder, 'start.sh'), bareScript)
      await stopBareHost(host)
      await docker(hostRunArgs(layout, { ...host, folder, image, recipe: '' }))
      await waitFor(name, 60_000, () => portAnswers(host.address, host.port))
      return host
    }),
  )
}

export async function stopBareHost({ container }: LabHost): Promise<void> {
  await docker(['rm', '--force', '--volumes', container])
  await docker(['volume', 'rm', '--force', container])
}

/**
 * What differs from a server: the registry's authority is trusted by nobody else, and there is no init system, which would start
 * Docker when it has been installed.
 */
const bareScript = `#!/bin/sh
set -eu
mount -o remount,rw /proc/sys
install -d -m 700 /root/.ssh
install -m 600 /lab/authorized_keys /root/.ssh/authorized_keys
rm -f /etc/ssh/ssh_host_*
ssh-keygen -A
install -D -m 644 /lab/daemon.json /etc/docker/daemon.json
install -D -m 644 /lab/registry-ca.crt "/etc/docker/certs.d/$LAB_REGISTRY/ca.crt"
mkdir -p /run/sshd
/usr/sbin/sshd
until dpkg-query --show --showformat '\${db:Status-Status}\n' docker.io docker-compose 2>/dev/null | grep -c '^installed$' | grep -q 2; do sleep 1; done
exec dockerd
`
