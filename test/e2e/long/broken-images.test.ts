/** Every way in which a new version can be broken: the old one serves on, the user learns what it was, and the mended one follows. */
import * as assert from 'uvu/assert'
import { within } from '../../support/assertions.ts'
import { BrokenShop, type NextVersion } from '../../support/broken-shop.ts'
import { labSuite } from '../../support/lab-suite.ts'

const suite = await labSuite('e2e/long/broken-images')
const { test } = suite
let shop: BrokenShop
let count = 1
/** The gate's 15 s, and what building, going back and a machine full of tests take. */
const longestMs = 90_000

test.before(async () => {
  shop = new BrokenShop(suite.lab())
  const { code, stderr, stdout } = await shop.deploy()
  if (code !== 0) process.stderr.write(stderr + stdout)
  assert.is(code, 0, stderr + stdout)
})
test.after(() => shop?.remove())

interface Row {
  readonly title: string
  readonly next: Omit<NextVersion, 'name'>
  /** All of this is said. */
  readonly said: readonly RegExp[]
  /** What may be cut: requests that the new version had taken before it fell. Default nothing. */
  readonly cut?: RegExp
}

const web = (words: string) => new RegExp(`the new container of web on node-1 ${words}`)
const died = web('(was (ready|healthy), then )?exited with code 3')
const gone = /^ {2}try: /m

const rows: readonly Row[] = [
  { title: 'exits at once', next: { mode: 'exits' }, said: [died, /cannot find the shop window/, gone] },
  { title: 'exits at once, without a healthcheck', next: { mode: 'exits', check: null }, said: [died, /cannot find the shop window/] },
  {
    title: 'never healthy',
    next: { mode: 'unhealthy' },
    said: [web('is unhealthy'), /this is v\d+, unhealthy/, /last health check: .*503/],
  },
  {
    title: 'never answers its healthcheck',
    next: { mode: 'silent' },
    said: [web('(is unhealthy|was not ready within 15 s)'), /this is v\d+, silent/, /last health check: .*(timeout|timed out)/],
  },
  { title: 'dies within min_ready', next: { mode: 'dies-early', check: null }, said: [died, /lost the key of the till/] },
  { title: 'healthy, then dies', next: { mode: 'dies-late' }, said: [died, /lost the key of the till/] },
  {
    title: 'dies under its first users',
    next: { mode: 'dies-serving' },
    said: [web('was ready, then exited with code 3'), /so many people/],
    cut: /^GET \/slow /,
  },
  {
    title: 'flaps',
    next: { mode: 'flaps', retries: 1 },
    said: [web('(is|was (healthy|ready), then turned) unhealthy'), /this is v\d+, flaps/],
  },
  {
    title: 'out of memory',
    next: { mode: 'greedy', compose: '    mem_limit: 64m\n' },
    said: [web('ran out of memory'), /this is v\d+, greedy/, /mem_limit/],
  },
  {
    title: 'listens on another port',
    next: { mode: 'other-port' },
    said: [web('does not answer'), /answered 502/, /this is v\d+, other-port/, /listening on the port of its `route`/],
  },
  { title: 'its port is taken', next: { mode: 'port-taken' }, said: [web('exited with code 1'), /EADDRINUSE/] },
  {
    title: 'a start command that the image does not have',
    next: { command: 'CMD ["no-such-program"]' },
    said: [web('did not start: exec: "no-such-program"'), /its image does not have that program/],
  },
  {
    title: 'a start command that may not be executed',
    next: { command: 'CMD ["/version"]' },
    said: [web('did not start: .*permission denied'), gone],
  },
  {
    title: 'no start command at all',
    next: { command: 'ENTRYPOINT []\nCMD []' },
    said: [/web on node-1 .*no command specified/, /what web is to run/],
  },
  {
    title: 'for another machine',
    next: { command: 'COPY --chmod=755 foreign /\nCMD ["/foreign"]' },
    said: [web('exited'), /exec format error/],
  },
  {
    title: 'a user that the image does not have',
    next: { compose: '    user: nobody-at-all\n' },
    said: [web('did not start: .*nobody-at-all'), gone],
  },
  {
    title: 'a health check whose command the image does not have',
    next: { check: '[CMD, no-such-check]' },
    said: [web('is unhealthy'), /last health check: .*no-such-check.*not found/],
  },
  {
    title: 'ignores SIGTERM and is never healthy',
    next: { mode: 'deaf', check: '[CMD, "false"]' },
    said: [web('is unhealthy'), /ended with code 1/],
  },
  {
    title: 'beside it, an image that no registry has',
    next: { beside: '  cache: { image: "${NODE_IMAGE}-missing" }\n' },
    said: [/cannot pull \S+-missing on node-1/, /the registry does not have it/],
  },
  {
    title: 'beside it, an image by a digest that nothing has',
    next: { beside: `  cache: { image: "\${NODE_IMAGE}@sha256:${'0'.repeat(64)}" }\n` },
    said: [/cannot pull \S+@sha256:0+ on node-1/, /the registry does not have it/],
  },
  {
    title: 'beside it, a port of the host that is taken',
    next: { beside: '  cache: { image: "${NODE_IMAGE}", command: [sleep, "1000"], ports: ["22:7000"] }\n' },
    said: [/cache on node-1 did not start: .*(already in use|already allocated)/, /something else on the host has the port/],
  },
]

for (const row of rows) test(`${row.title}: the old version serves on, and the mended one follows`, () => within(240_000, tryOut(row)))

async function tryOut({ title, next, said, cut }: Row): Promise<void> {
  shop.write('foreign', foreign)
  const before = shop.state(1)
  shop.next({ ...next, name: `v${++count}` })
  const failed = await shop.underTraffic(() => shop.run(['deploy', '--env', 'prod']), { wholeSocket: next.beside === undefined, cut })
  await held(title, before, failed, said)
  await mended()
}

/** The deploy failed in bounded time and said why, and all is as it was. */
async function held(
  title: string,
  before: readonly string[],
  failed: { readonly code: number | null; readonly stdout: string; readonly stderr: string; readonly tookMs: number },
  said: readonly RegExp[],
): Promise<void> {
  const text = failed.stderr + failed.stdout
  assert.is(failed.code, 2, text)
  for (const words of [...said, /node-1 runs what it ran before/]) assert.match(text.slice(text.indexOf('✖')), words)
  const [, seconds = ''] = /^✖ rollout:\S+ +([\d.]+)/m.exec(text) ?? []
  process.stderr.write(`  ${title}: ${seconds} s of ${(failed.tookMs / 1000).toFixed(1)} s\n`)
  assert.ok(failed.tookMs < longestMs, `${failed.tookMs} ms`)
  assert.equal(shop.state(1), before)
  assert.equal(shop.leftOvers(1), [])
}

/** The next good version comes up under traffic, and then there is nothing to do. */
async function mended(change: () => void = () => shop.next({ name: `v${++count}` })): Promise<void> {
  change()
  const name = `v${count}`
  const { code, stdout, stderr, report } = await shop.underTraffic(() => shop.deploy(), { wholeSocket: false })
  assert.is(code, 0, stderr + stdout)
  assert.ok(Object.keys(report.bodies).includes(name), JSON.stringify(report.bodies))
  assert.is(shop.versions(1), name)
  assert.equal(shop.leftOvers(1), [])
  assert.equal((await shop.deploy()).ran, [])
}

test('an image that is lost between push and pull: the old version serves on, and the same deploy again pushes it again', async () => {
  const { address, username, password, caFile } = suite.lab().registry
  const manifest = `https://${address}/v2/e2e/${shop.name}/web/manifests`
  const curl = `curl -sf --cacert ${caFile} -u ${username}:${password} -H 'Accept: application/vnd.docker.distribution.manifest.v2+json'`
  const digest = `$(${curl} -I ${manifest}/$STAGECRAFT_VERSION | tr -d '\\r' | sed -n 's/^docker-content-digest: //Ip')`
  shop.write('lose.sh', `${curl} -X DELETE "${manifest}/${digest}"\n`)
  shop.configure({ more: 'hooks: { before_rollout: sh lose.sh }\n' })
  const before = shop.state(1)
  shop.next({ name: `v${++count}` })
  const failed = await shop.underTraffic(() => shop.run(['deploy', '--env', 'prod']), { wholeSocket: true })
  await held('lost between push and pull', before, failed, [/cannot pull \S+web@sha256:\w+ on node-1/, /the registry does not have it/])
  await mended(() => shop.configure({}))
})

test('a version that ignores SIGTERM is taken away when its grace is over', async () => {
  await mended(() => shop.next({ name: `v${++count}`, mode: 'deaf' }))
  const name = `v${++count}`
  shop.next({ name })
  const { code, stderr, stdout, tookMs } = await shop.underTraffic(() => shop.deploy(), { wholeSocket: false })
  assert.is(code, 0, stderr + stdout)
  assert.ok(tookMs < longestMs, `${tookMs} ms`)
  assert.is(shop.versions(1), name)
})

test('with a surge, as many new containers as that stand beside the old ones before one of those goes', async () => {
  shop.configure({ replicas: 3, rollout: '{ surge: 2 }' })
  const more = await shop.deploy()
  assert.is(more.code, 0, more.stderr + more.stdout)
  shop.next({ name: `v${++count}` })
  const { code, stdout, stderr } = await shop.underTraffic(() => shop.run(['deploy', '--env', 'prod']), { wholeSocket: false })
  assert.is(code, 0, stderr + stdout)
  const steps = (stdout + stderr).match(/container \d of 3 is ready|stopping/g)
  assert.equal(steps, [
    'container 1 of 3 is ready',
    'container 2 of 3 is ready',
    'stopping',
    'stopping',
    'container 3 of 3 is ready',
    'stopping',
  ])
  assert.is(shop.versions(1), `v${count} v${count} v${count}`)
})

/** The beginning of a program for ARM. */
const foreign = `\x7fELF${'\x02\x01\x01'}${'\0'.repeat(9)}\x02\0\x0d\0\x01${'\0'.repeat(60)}`

suite.run()
