/** Certificates, passwords, redirects and kept files, on a real host with a real Caddy. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import * as assert from 'uvu/assert'
import type { EdgeShop } from '../support/edge-shop.ts'
import { edgeSuite } from '../support/edge-suite.ts'
import { issueCertificate } from '../support/lab-certificates.ts'
import { hasPebble, startPebble } from '../support/pebble.ts'

const suite = await edgeSuite('e2e/edge-tls')
const { test, lab, open, users } = suite

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** Of the certificate that was shown, in hexadecimal. */
  readonly serial: string
}

/** As a browser that trusts `ca` and nobody else. */
function secure(shop: EdgeShop, ca: string, path: string, more: RequestOptions = {}, name = shop.domain): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const to = { host: shop.host.address, port: 443, path, ca, servername: name, agent: false as const }
    const asked = request({ ...to, ...more, headers: { host: name, ...more.headers } }, (response) => {
      const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate()
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: body.trim(), serial: serialNumber }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('a given certificate, HSTS, a password and redirects; another certificate is taken over, and the old one leaves the host', async () => {
  const names = (shop: EdgeShop) => [shop.domain, `www.${shop.domain}`]
  const shop = open({
    route: '{ domains: DOMAIN, redirect: [www.DOMAIN], hsts: true, basic_auth: USERS, tls: { certificate: site.pem, key: site.key } }',
    environment: '    env_file: .env.prod\n',
  })
  const hash = execFileSync('caddy', ['hash-password', '--plaintext', 'sesame'], { encoding: 'utf8' }).trim()
  shop.writeEnvironment({ USERS: `'anna:${hash}'` })
  const install = () => {
    const issued = issueCertificate(lab(), names(shop))
    shop.write('site.pem', issued.certificate)
    shop.write('site.key', issued.key)
  }
  install()
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stderr)

  const ca = readFileSync(lab().registry.caFile, 'utf8')
  const stranger = await secure(shop, ca, '/')
  assert.is(stranger.status, 401)
  assert.match(String(stranger.headers['www-authenticate']), /^Basic /)
  const anna = await secure(shop, ca, '/', { auth: 'anna:sesame' })
  assert.equal([anna.status, anna.body], [200, 'v1'])
  assert.match(String(anna.headers['strict-transport-security']), /max-age=31536000/)
  assert.is((await secure(shop, ca, '/', { auth: 'anna:wrong' })).status, 401)
  assert.match(shop.curl('/a?b=c'), new RegExp(`308 .*Location: https://${shop.domain}/a\\?b=c`, 's'))
  const www = await secure(shop, ca, '/a?b=c', {}, `www.${shop.domain}`)
  assert.equal([www.status, www.headers['location']], [308, `https://${shop.domain}/a?b=c`])

  const folders = () => shop.onHost('sh', '-c', `cd /opt/stagecraft/edge/certificates && ls -d ${shop.name}.*`).trim().split('\n')
  assert.is(shop.onHost('sh', '-c', `stat -c %a /opt/stagecraft/edge/certificates/${shop.name}.*/key.pem`).trim(), '600')
  const [before] = folders()
  install()
  const renewed = await shop.deploy()
  assert.is(renewed.code, 0, renewed.stderr)
  assert.is.not((await secure(shop, ca, '/')).serial, anna.serial)
  assert.is(folders().length, 1)
  assert.is.not(folders()[0], before)
  assert.equal((await shop.deploy()).ran, [])
  for (const secret of ['sesame', hash, shop.read('site.key').trim()]) assert.not.ok((first.stdout + first.stderr).includes(secret))
})

test('files of the release before are answered after a swap, and what neither has is not', async () => {
  const shop = open({ route: '{ domains: DOMAIN, tls: none, assets: { path: /assets, directory: /assets } }' })
  assert.is((await shop.deploy()).code, 0)
  assert.match(shop.curl('/assets/v1.js'), /200 OK.*asset of v1/s)
  const traffic = await users(shop)
  shop.version('v2')
  const second = await shop.deploy()
  assert.is(second.code, 0, second.stderr)
  assert.match(shop.curl('/assets/v2.js'), /200 OK.*asset of v2/s)
  assert.match(shop.curl('/assets/v1.js'), /200 OK.*asset of v1/s)
  assert.match(shop.curl('/assets/v0.js'), /404 Not Found.*no such asset/s)
  for (const path of ['/assets/../assets/v1.js', '/assets/%2e%2e/%2e%2e/caddy.json', '/assets/*'])
    assert.not.match(shop.curl(path, '--path-as-is'), /"apps"|200 OK.*asset of v0/s, path)
  assert.equal((await traffic.stop()).failures, [])
})

const acme = hasPebble ? test : test.skip
if (!hasPebble) process.stdout.write('skipped: there is no pebble here to ask for certificates\n')
acme('certificates come from an ACME server, for the domain and for those that lead to it', async () => {
  const image = `${lab().registry.address}/e2e/caddy-trusting:1`
  const pebble = await startPebble(lab(), lab().hosts[0]?.address ?? '')
  try {
    const shop = open({
      image,
      settings: `acme_server: "${pebble.directory}", acme_email_env: MAIL`,
      environment: '    env_file: .env.prod\n',
      route: '{ domains: DOMAIN, redirect: [www.DOMAIN] }',
    })
    shop.writeEnvironment({ MAIL: 'ops@example.com' })
    shop.publishTrustingProxy(image)
    const first = await shop.deploy()
    assert.is(first.code, 0, first.stderr)
    const ca = await pebble.root()
    for (const name of [shop.domain, `www.${shop.domain}`]) {
      const status = await until(async () => (await secure(shop, ca, '/', {}, name)).status)
      assert.is(status, name === shop.domain ? 200 : 308)
    }
    const { serial } = await secure(shop, ca, '/')
    shop.version('v2')
    assert.is((await shop.deploy()).code, 0)
    shop.onHost('docker', 'restart', 'stagecraft-edge-proxy-1')
    const later = await until(() => secure(shop, ca, '/'))
    assert.equal([later.status, later.body, later.serial], [200, 'v2', serial], 'kept over a swap and a restart, not asked for again')
  } finally {
    pebble.stop()
  }
})

/** Asked again for half a minute at most. */
async function until<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  }
}

suite.run()
