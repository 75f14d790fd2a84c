/** Certificates of the lab's own authority for names of a test's choosing, in PEM. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Lab } from '../lab/lab.ts'

export interface IssuedCertificate {
  readonly certificate: string
  readonly key: string
}

export function issueCertificate({ registry: { caFile } }: Lab, domains: readonly string[]): IssuedCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const config = `[req]\ndistinguished_name = name\n[name]\n[server]\nsubjectAltName = ${domains.map((name) => `DNS:${name}`).join(', ')}\n`
    writeFileSync(join(folder, 'openssl.cnf'), config)
    const made = ['req', '-x509', '-config', 'openssl.cnf', '-extensions', 'server', '-subj', '/CN=test', '-days', '30', '-nodes']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', 'key.pem', '-out', 'certificate.pem']
    const signed = ['-CA', caFile, '-CAkey', join(dirname(caFile), 'ca.key')]
    execFileSync('openssl', [...made, ...key, ...signed], { cwd: folder, stdio: 'ignore' })
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    return { certificate: read('certificate.pem'), key: read('key.pem') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
