/** A real nginx that keeps what is PUT to it, as people set one up for a shared cache: on a loopback port, from a folder of its own. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

export interface NginxOptions {
  /** Bearer tokens; with neither, anybody may do anything. */
  readonly tokens?: { readonly read: string; readonly write: string }
  /** Basic authentication, for everything. */
  readonly basic?: { readonly user: string; readonly password: string }
  /** A certificate for 127.0.0.1 and cache.test, of an authority made for this. */
  readonly tls?: boolean
}

export interface Nginx {
  readonly url: string
  /** Where it keeps what is PUT. */
  readonly root: string
  /** With TLS: the authority's certificate. */
  readonly caFile: string
  /** Ends it and returns what it was asked: `PUT /ac/… 201`, in order. */
  stop(): Promise<readonly string[]>
}

const program = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  .map((folder) => join(folder, 'nginx'))
  .find((path) => existsSync(path))

/** Why there is none on this machine, if so. */
export const nginxObstacle: string | undefined = program === undefined ? 'nginx is not installed' : undefined

/** @param directory empty or of an earlier one, whose files are then served. */
export async function startNginx(directory: string, options: NginxOptions = {}): Promise<Nginx> {
  const root = join(directory, 'files')
  mkdirSync(root, { recursive: true })
  const caFile = join(directory, 'ca.crt')
  if (options.tls && !existsSync(caFile)) makeCertificate(directory)
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    const log = join(directory, `access-${port}.log`)
    const config = join(directory, `nginx-${port}.conf`)
    writeFileSync(config, configuration(directory, root, port, log, options))
    const child = spawn(program ?? 'nginx', ['-p', directory, '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    // A test that fails half-way shall neither hang nor leave it behind.
    process.once('exit', () => child.kill())
    const ended = once(child, 'exit')
    const [line] = await Promise.race([readyLine(child.stderr), ended.then(() => [undefined])])
    if (line === undefined && attempt < 3) continue
    if (line === undefined) throw new Error(`nginx did not start: see ${config}`)
    child.unref()
    return {
      url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
      root,
      caFile,
      async stop() {
        child.ref()
        child.kill('SIGQUIT')
        await ended
        return readFileSync(log, 'utf8').split('\n').filter(Boolean)
      },
    }
  }
}

/** It says so once its sockets listen. */
async function readyLine(stderr: NodeJS.ReadableStream): Promise<readonly [string | undefined]> {
  for await (const line of createInterface({ input: stderr })) {
    if (!line.includes('using the "')) continue
    return [line]
  }
  return [undefined]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function configuration(directory: string, root: string, port: number, log: string, { tokens, basic, tls }: NginxOptions): string {
  if (basic) writeFileSync(join(directory, 'users'), `${basic.user}:{PLAIN}${basic.password}\n`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((part) => `  ${part}_temp_path ${join(directory, 'tmp')};`)
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
master_process off;
pid ${join(directory, `nginx-${port}.pid`)};
error_log stderr notice;
events { worker_connections 128; }
http {
${temporary.join('\n')}
  log_format asked '$request_method $uri $status';
  access_log ${log} asked;
  client_max_body_size 1g;
  map $http_authorization $may_read { default ${tokens ? 0 : 1}; ${tokens ? `"Bearer ${tokens.read}" 1; "Bearer ${tokens.write}" 1;` : ''} }
  map $http_authorization $may_write { default ${tokens ? 0 : 1}; ${tokens ? `"Bearer ${tokens.write}" 1;` : ''} }
  map $request_method $allowed { default $may_read; PUT $may_write; }
  server {
    listen 127.0.0.1:${port}${tls ? ' ssl' : ''};
${tls ? `    ssl_certificate ${join(directory, 'server.crt')};\n    ssl_certificate_key ${join(directory, 'server.key')};` : ''}
    location / {
      root ${root};
      if ($allowed = 0) { return 403; }
${basic ? `      auth_basic cache;\n      auth_basic_user_file ${join(directory, 'users')};` : ''}
      dav_methods PUT;
      create_full_put_path on;
    }
  }
}
`
}

function makeCertificate(directory: string): void {
  const file = (name: string) => join(directory, name)
  writeFileSync(
    file('openssl.cnf'),
    `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:cache.test
`,
  )
  const make = (name: string, extensions: string, ...more: string[]) =>
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-config', file('openssl.cnf'), '-extensions', extensions, '-subj', `/CN=stagecraft test ${name}`],
        ...['-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
        ...['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), ...more],
      ],
      { stdio: 'ignore' },
    )
  make('ca', 'authority')
  make('server', 'server', '-CA', file('ca.crt'), '-CAkey', file('ca.key'))
}
