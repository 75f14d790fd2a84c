import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import type { Certificates } from './certificates.ts'
import { type Credentials, htpasswdLine } from './credentials.ts'
import { detachedPid, startDetached } from './detached.ts'
import { waitFor } from './engine.ts'
import type { Layout } from './layout.ts'

/** Starts the lab's image registry, with TLS and a password, unless it answers already. */
export async function startRegistry(layout: Layout, certificates: Certificates, { registry }: Credentials): Promise<void> {
  if ((await detachedPid(layout.dir, 'registry')) !== undefined) return
  const dir = join(layout.dir, 'registry')
  await mkdir(join(dir, 'storage'), { recursive: true })
  await writeFile(join(dir, 'htpasswd'), await htpasswdLine(registry.username, registry.password), { mode: 0o600 })
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: join(dir, 'storage') }, delete: { enabled: true } },
    http: { addr: layout.registry.address, tls: { certificate: certificates.certificateFile, key: certificates.keyFile } },
    auth: { htpasswd: { realm: 'stagecraft-lab', path: join(dir, 'htpasswd') } },
  }
  // JSON is YAML too.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config, undefined, 2))
  await startDetached(layout.dir, 'registry', ['docker-registry', 'serve', join(dir, 'config.yml')])
  await waitFor(
    `the registry (see ${layout.dir}/log/registry.log)`,
    15_000,
    async () => (await ask(layout, certificates, registry, '/v2/')) === 200,
  )
}

/** Whether the registry holds a tag of a repository. */
export async function registryHas(
  layout: Layout,
  certificates: Certificates,
  { registry }: Credentials,
  repository: string,
  tag: string,
): Promise<boolean> {
  return (await ask(layout, certificates, registry, `/v2/${repository}/manifests/${tag}`)) === 200
}

/** The status that the registry answers with; 0 where nothing answers. */
async function ask(layout: Layout, certificates: Certificates, account: Credentials['registry'], path: string): Promise<number> {
  const ca = await readFile(certificates.caFile)
  const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json' }
  return new Promise((resolve) => {
    request({
      ...{ host: layout.network.gateway, port: layout.registry.port, path, method: 'HEAD' },
      ...{ ca, headers, auth: `${account.username}:${account.password}`, agent: false, timeout: 5_000 },
    })
      .on('response', (response) => resolve(response.resume().statusCode ?? 0))
      .on('timeout', () => resolve(0))
      .on('error', () => resolve(0))
      .end()
  })
}
