import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Layout } from './layout.ts'

export interface Certificates {
  readonly caFile: string
  readonly certificateFile: string
  readonly keyFile: string
}

/** Makes the lab's certificate authority and the registry's certificate, once. */
export async function openCertificates(layout: Layout): Promise<Certificates> {
  const dir = layout.certificates
  const file = (name: string) => join(dir, name)
  const made = { caFile: file('ca.crt'), certificateFile: file('registry.crt'), keyFile: file('registry.key') }
  if (existsSync(made.certificateFile)) return made
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeFile(file('openssl.cnf'), opensslConfig(layout.network.gateway))
  const request = (name: string, extensions: string) => [
    ...[
      'req',
      '-x509',
      '-config',
      file('openssl.cnf'),
      '-extensions',
      extensions,
      '-subj',
      `/CN=stagecraft lab ${name}`,
      '-days',
      '3650',
      '-nodes',
    ],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)],
  ]
  await execa('openssl', request('ca', 'authority'))
  await execa('openssl', [...request('registry', 'server'), '-CA', file('ca.crt'), '-CAkey', file('ca.key')])
  return made
}

/** Makes this machine's engine trust the lab's registry; false if it did already. BuildKit reads this only when the engine starts. */
export async function trustRegistry(layout: Layout, caFile: string): Promise<boolean> {
  const file = join(trustFolder(layout), 'ca.crt')
  const ca = await readFile(caFile, 'utf8')
  if ((await readFile(file, 'utf8').catch(() => '')) === ca) return false
  await mkdir(trustFolder(layout), { recursive: true })
  await writeFile(file, ca)
  return true
}

export async function distrustRegistry(layout: Layout): Promise<void> {
  await rm(trustFolder(layout), { recursive: true, force: true })
}

const trustFolder = (layout: Layout) => join('/etc/docker/certs.d', layout.registry.address)

const opensslConfig = (address: string) => `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = IP:${address}
`
