/** A real ACME server (https://github.com/letsencrypt/pebble) that finds every domain at one address, on this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Lab } from '../lab/lab.ts'

export interface Pebble {
  /** The ACME directory, as the lab's hosts reach it; its own certificate is of the lab's authority. */
  readonly directory: string
  /** Of the authority that signs what it issues, in PEM. */
  root(): Promise<string>
  stop(): void
}

export const hasPebble = ['pebble', 'pebble-challtestsrv'].every((name) => spawnSync('which', [name]).status === 0)

/** Validates over HTTP, on port 80 of `address`. */
export async function startPebble(lab: Lab, address: string, httpPort = 80): Promise<Pebble> {
  const gateway = lab.registry.address.split(':')[0] ?? ''
  const certificates = dirname(lab.registry.caFile)
  const [acme = 0, management = 0, dns = 0, control = 0] = await freePorts(4)
  const folder = mkdtempSync(join(tmpdir(), 'pebble-'))
  const config = {
    listenAddress: `${gateway}:${acme}`,
    managementListenAddress: `${gateway}:${management}`,
    certificate: join(certificates, 'registry.crt'),
    privateKey: join(certificates, 'registry.key'),
    httpPort,
    tlsPort: 443,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble: config }))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  // Later ones answer DNS over HTTPS too, on a port that may be taken.
  const hasDoh = `${spawnSync('pebble-challtestsrv', ['-h']).stderr}`.includes('-doh')
  const names = ['-dns01', `127.0.0.1:${dns}`, '-defaultIPv4', address, '-defaultIPv6', '', '-management', `127.0.0.1:${control}`]
  const children = [
    start('pebble-challtestsrv', [...names, ...off, ...(hasDoh ? ['-doh', ''] : [])]),
    start('pebble', ['-config', join(folder, 'config.json'), '-dnsserver', `127.0.0.1:${dns}`, '-strict', 'false']),
  ]
  const get = (url: string) => fetchText(url)
  const directory = `https://${gateway}:${acme}/dir`
  for (let tries = 0; (await get(directory).catch(() => undefined)) === undefined; tries++) {
    if (tries > 100) throw new Error('pebble does not answer')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    directory,
    root: () => get(`https://${gateway}:${management}/roots/0`),
    stop() {
      for (const child of children) child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function start(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore', env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' } })
}

/** Whoever answers is on this machine. */
function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false, timeout: 2_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more
      })
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(`${url}: ${response.statusCode}`))))
    })
    asked.on('timeout', () => asked.destroy(new Error(`${url}: no answer`)))
    asked.on('error', reject)
    asked.end()
  })
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, () => {
            const address = server.address()
            resolve(typeof address === 'object' && address ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
