/** What people use without a deploy tool: Compose, told of the host by DOCKER_HOST or run there over SSH. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '../lab/lab.ts'
import type { Shop } from '../support/shop.ts'
import type { Wire } from '../support/wire.ts'
import type { Program } from './measure.ts'

export interface Peer {
  /** By what the report calls them. Each does nothing when run again. */
  programs(wire: Wire): Readonly<Record<string, Program>>
  remove(): void
}

/** The shop's three containers again, under another name, from images that the host has. */
export function openPeer(lab: Lab, shop: Shop, scratch: string): Peer {
  const project = `${shop.name}-compose`
  const services = ['api', 'web', 'worker'].map((name) => {
    const image = shop.onHost('docker', 'inspect', '--format', '{{.Config.Image}}', shop.container(name).id).trim()
    return `  ${name}:\n    image: ${image}\n    restart: unless-stopped\n`
  })
  const file = join(scratch, `${project}.yml`)
  const text = `services:\n${services.join('')}`
  writeFileSync(file, text)
  const remote = `/tmp/${project}.yml`
  shop.onHost('sh', '-c', 'printf %s "$1" > "$2"', 'sh', text, remote)

  return {
    programs(wire) {
      const env = sshConfiguration(lab, wire, scratch)
      const up = ['compose', '--project-name', project, '--file']
      return {
        '`ssh HOST true`': { file: 'ssh', args: ['node-1', 'true'], env },
        '`ssh HOST docker compose up -d`': { file: 'ssh', args: ['node-1', 'docker', ...up, remote, 'up', '-d'], env },
        '`DOCKER_HOST=ssh://HOST docker compose up -d`': {
          file: 'docker',
          args: [...up, file, 'up', '-d'],
          env: { ...env, DOCKER_HOST: 'ssh://deploy@node-1', DOCKER_CONFIG: lab.registry.dockerConfigDir },
        },
      }
    },
    remove() {
      const ids = shop.onHost('docker', 'ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${project}`).split('\n')
      shop.onHost('docker', 'rm', '--force', ...ids.filter(Boolean))
      const networks = shop.onHost('docker', 'network', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${project}`)
      shop.onHost('docker', 'network', 'rm', ...networks.split('\n').filter(Boolean))
      shop.onHost('rm', '-f', remote)
    },
  }
}

/**
 * An `ssh` that reaches the host through the wire, whatever it is called. OpenSSH takes the user's folder from the password file, not from HOME, so
 * it is told where its configuration is.
 * @returns the environment to find it in.
 */
export function sshConfiguration(lab: Lab, wire: Wire, scratch: string): { readonly PATH: string; readonly HOME: string } {
  const config = join(scratch, `ssh-${wire.port}`)
  const knownHosts = join(scratch, `known-${wire.port}`)
  const ssh = join(scratch, 'ssh')
  writeFileSync(knownHosts, wire.knownHost)
  writeFileSync(
    config,
    `Host *\n  HostName 127.0.0.1\n  Port ${wire.port}\n  User deploy\n  IdentityFile ${lab.identityFile}\n  IdentitiesOnly yes\n  UserKnownHostsFile ${knownHosts}\n  BatchMode yes\n`,
  )
  writeFileSync(ssh, `#!/bin/sh\nexec /usr/bin/ssh -F ${config} "$@"\n`)
  chmodSync(ssh, 0o755)
  return { PATH: `${scratch}:${process.env['PATH']}`, HOME: scratch }
}
