/**
 * docs/guide/from-two-servers-to-a-fleet.md, typed by somebody who reads it from top to bottom: on two servers with nothing but Debian and sshd, and in one
 * shell here. What differs from the page: addresses, the registry and its images, and a certificate of the lab's authority in the place of one by ACME.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { startBareHosts, stopBareHost } from '../lab/bare-hosts.ts'
import type { Lab, LabHost } from '../lab/lab.ts'
import { type GuideCommand, guideSteps } from '../support/guide-page.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/guide')
const root = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const page = 'docs/guide/from-two-servers-to-a-fleet.md'
const domain = 'shop.example.com'
const addresses = ['203.0.113.7', '203.0.113.8']

suite.test('every command of the guide, on two bare servers', async () => {
  const lab = suite.lab()
  const home = mkdtempSync(join(tmpdir(), 'guide-'))
  const servers = await startBareHosts(lab, ['node-1', 'node-2'])
  const words = replacements(lab, servers)
  const shell = new Shell(home, prepare(home, lab, servers, words))
  try {
    for (const step of guideSteps(join(root, page), page)) {
      if ('name' in step) writeManifest(join(shell.directory, step.name), replaced(step.text, words), home)
      else if (step.where === 'server') await Promise.all(servers.map((server) => onServer(step, server, home)))
      else check(step, await shell.type(replaced(step.command, words)))
    }
  } finally {
    shell.end()
    for (const server of servers) await stopBareHost(server)
    rmSync(home, { recursive: true, force: true })
  }
})

type Words = readonly (readonly [string, string])[]

function replacements(lab: Lab, servers: readonly LabHost[]): Words {
  return [
    ...addresses.map((address, index) => [address, servers[index]?.address ?? ''] as const),
    ['registry.example.com/acme/shop', `${lab.registry.address}/guide/shop`],
    ['registry.example.com', lab.registry.address],
    ['busybox:1.37', lab.images.busybox],
    ['postgres:17', lab.images.postgres],
    ['caddy:2', lab.images.caddy],
  ]
}

const replaced = (text: string, words: Words) => words.reduce((changed, [from, to]) => changed.replaceAll(from, to), text)

/** There is no public name here, so nobody would give us a certificate: one of the lab's authority, beside the manifest. */
function writeManifest(file: string, text: string, home: string): void {
  const changed = text
    .replace(`route: ${domain}`, `route: { domains: ${domain}, tls: { certificate: site.crt, key: site.key } }`)
    .replace(
      'environments:\n',
      `edge: { provider: caddy, providers: { caddy: { image: "${suite.lab().images.caddy}" } } }\nenvironments:\n`,
    )
  assert.ok(changed.includes('site.crt') && changed.includes('edge:'), changed)
  writeFileSync(file, changed)
  for (const name of ['site.crt', 'site.key']) copyFileSync(join(home, name), join(dirname(file), name))
}

interface Said {
  readonly code: number
  readonly text: string
}

function check({ place, command, code, said }: GuideCommand, done: Said): void {
  assert.is(done.code, code, `${place}: ${command}\n${done.text}`)
  for (const line of said) assert.ok(done.text.includes(line), `${place}: ${command}\nexpected ${line}, and it said\n${done.text}`)
}

function onServer(step: GuideCommand, server: LabHost, home: string): Promise<void> {
  const child = spawn(join(home, 'programs/ssh'), [`root@${server.address}`, step.command], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return new Promise((resolve, reject) =>
    child.on('close', (code) => {
      try {
        resolve(check(step, { code: code ?? -1, text: text.slice(-3000) }))
      } catch (error) {
        reject(error)
      }
    }),
  )
}

/** What the reader has before the first line: a home with a key and a name for git, programs, and a clone of Stagecraft. */
function prepare(home: string, lab: Lab, servers: readonly LabHost[], words: Words): NodeJS.ProcessEnv {
  const programs = join(home, 'programs')
  for (const folder of [programs, join(home, '.ssh'), join(home, 'work')]) mkdirSync(folder, { mode: 0o700 })
  copyFileSync(lab.identityFile, join(home, '.ssh/id_ed25519'))
  chmodSync(join(home, '.ssh/id_ed25519'), 0o600)
  writeFileSync(join(home, '.gitconfig'), '[user]\nname = reader\nemail = reader@example.invalid\n')
  makeCertificate(home, lab)
  writeFileSync(join(home, '.curlrc'), `cacert = "${lab.registry.caFile}"\nresolve = "${domain}:443:${servers[0]?.address}"\n`)
  const program = (name: string, line: string) => writeFileSync(join(programs, name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 })
  program('stagecraft', `'${process.execPath}' '${join(root, 'bin/stagecraft.js')}'`)
  // OpenSSH looks for the user's home in the list of users, whatever HOME says.
  program(
    'ssh',
    `/usr/bin/ssh -i '${home}/.ssh/id_ed25519' -o UserKnownHostsFile='${home}/.ssh/known_hosts' -o StrictHostKeyChecking=accept-new`,
  )
  const clone = join(home, 'stagecraft')
  cpSync(join(root, 'docs/examples/shop'), join(clone, 'docs/examples/shop'), { recursive: true })
  for (const file of ['docker-compose.yml', 'api/Dockerfile', 'web/Dockerfile', 'worker/Dockerfile']) {
    const path = join(clone, 'docs/examples/shop', file)
    writeFileSync(path, replaced(readFileSync(path, 'utf8'), words))
  }
  return {
    PATH: `${programs}:${process.env['PATH']}`,
    HOME: home,
    STAGECRAFT: clone,
    DOCKER_CONFIG: lab.registry.dockerConfigDir,
    NODE_EXTRA_CA_CERTS: lab.registry.caFile,
    NO_COLOR: '1',
  }
}

function makeCertificate(home: string, lab: Lab): void {
  const file = (name: string) => join(home, name)
  const authority = join(dirname(lab.registry.caFile), 'ca.key')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${domain}`, '-keyout', file('site.key'), '-out', file('site.csr'))
  writeFileSync(file('site.ext'), `subjectAltName = DNS:${domain}\n`)
  openssl(
    ...['x509', '-req', '-in', file('site.csr'), '-CA', lab.registry.caFile, '-CAkey', authority, '-set_serial', '7', '-days', '2'],
    ...['-extfile', file('site.ext'), '-out', file('site.crt')],
  )
}

/** One shell that is typed into line by line, so that a folder and a variable are still there for the next line. */
class Shell {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  #text = ''
  #wake = () => {}
  directory: string

  constructor(home: string, env: NodeJS.ProcessEnv) {
    this.directory = join(home, 'work')
    this.#child = spawn('sh', [], { cwd: this.directory, env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin.write('exec 2>&1\n')
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.#text += chunk
      this.#wake()
    })
    this.#child.on('close', () => this.#wake())
  }

  async type(command: string): Promise<Said> {
    this.#text = ''
    this.#child.stdin.write(`{ ${command}\n} </dev/null\nprintf '\\0%s\\0%s\\0' "$?" "$PWD"\n`)
    const end = /\0(\d+)\0(.*)\0$/
    while (!end.test(this.#text)) {
      if (this.#child.exitCode !== null) throw new Error(`the shell ended at ${command}: ${this.#text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const [, code = '', directory = ''] = end.exec(this.#text) ?? []
    this.directory = directory
    return { code: Number(code), text: this.#text.replace(end, '') }
  }

  end(): void {
    this.#child.stdin.end()
  }
}

suite.run()
