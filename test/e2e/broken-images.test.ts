/** Every way in which a new version can be broken: the old one serves on, the user learns what it was, and the mended one follows. */
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { BrokenShop, type NextVersion } from '../support/broken-shop.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/broken-images')
const { test } = suite
let shop: BrokenShop
let count = 1

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
  /** The deploy ends within this. */
  readonly seconds: number
}

const rows: readonly Row[] = [
  {
    title: 'exits at once',
    next: { mode: 'exits' },
    said: [/web on node-1 exited with code 3/, /cannot find the shop window/],
    seconds: 10,
  },
  {
    title: 'exits at once, without a healthcheck',
    next: { mode: 'exits', check: null },
    said: [/web on node-1 exited with code 3/, /cannot find the shop window/],
    seconds: 10,
  },
  {
    title: 'never healthy',
    next: { mode: 'unhealthy' },
    said: [/web on node-1 is unhealthy/, /this is v\d+, unhealthy/, /503/],
    seconds: 12,
  },
  {
    title: 'never answers its healthcheck',
    next: { mode: 'silent' },
    said: [/web on node-1 is unhealthy/, /this is v\d+, silent/, /last health check/],
    seconds: 18,
  },
  {
    title: 'dies within min_ready',
    next: { mode: 'dies-early', check: null },
    said: [/web on node-1 exited with code 3/, /lost the key of the till/],
    seconds: 10,
  },
  {
    title: 'healthy, then dies',
    next: { mode: 'dies-late' },
    said: [/web on node-1/, /exited with code 3/, /lost the key of the till/],
    seconds: 25,
  },
  {
    title: 'out of memory',
    next: { mode: 'greedy', compose: '    mem_limit: 64m\n' },
    said: [/web on node-1 ran out of memory/, /this is v\d+, greedy/],
    seconds: 12,
  },
  { title: 'flaps', next: { mode: 'flaps' }, said: [/web on node-1/, /unhealthy/, /this is v\d+, flaps/], seconds: 30 },
  {
    title: 'listens on another port',
    next: { mode: 'other-port' },
    said: [/node-1/, /web/, /answered 502/, /this is v\d+, other-port/, /listening on the port/],
    seconds: 15,
  },
  { title: 'its port is taken', next: { mode: 'port-taken' }, said: [/web on node-1 exited with code 1/, /EADDRINUSE/], seconds: 10 },
  {
    title: 'a start command that the image does not have',
    next: { command: 'CMD ["no-such-program"]' },
    said: [/web on node-1/, /no-such-program/, /not found/],
    seconds: 10,
  },
  {
    title: 'a start command that may not be executed',
    next: { command: 'CMD ["/version"]' },
    said: [/web on node-1/, /\/version/, /permission denied/],
    seconds: 10,
  },
  {
    title: 'no start command at all',
    next: { command: 'ENTRYPOINT []\nCMD []' },
    said: [/web on node-1/, /no command specified/],
    seconds: 10,
  },
  {
    title: 'of another architecture',
    next: { command: 'COPY --chmod=755 foreign /\nCMD ["/foreign"]' },
    said: [/web on node-1/, /exec format error/],
    seconds: 10,
  },
  {
    title: 'a user that the image does not have',
    next: { compose: '    user: nobody-at-all\n' },
    said: [/web on node-1/, /nobody-at-all/],
    seconds: 10,
  },
  {
    title: 'a health check whose command the image does not have',
    next: { check: '[CMD, no-such-check]' },
    said: [/web on node-1 is unhealthy/, /no-such-check/],
    seconds: 15,
  },
  {
    title: 'ignores SIGTERM and is never healthy',
    next: { mode: 'deaf', check: '[CMD, "false"]' },
    said: [/web on node-1 is unhealthy/],
    seconds: 12,
  },
]

for (const row of rows) test(`${row.title}: the old version serves on, and the mended one follows`, () => within(120_000, tryOut(row)))

async function tryOut({ title, next, said, seconds }: Row): Promise<void> {
  shop.write('foreign', foreign)
  const before = shop.state(1)
  shop.next({ ...next, name: `v${++count}` })
  const failed = await shop.underTraffic(() => shop.run(['deploy', '--env', 'prod']), { wholeSocket: true })
  const text = failed.stderr + failed.stdout
  process.stderr.write(`==== ${title}: code ${failed.code} in ${failed.tookMs}\n${text}\n`)
  assert.is(failed.code, 2, text)
  for (const words of said) assert.match(text, words)
  assert.ok(failed.tookMs < seconds * 1000, `${failed.tookMs} ms`)
  assert.equal(shop.state(1), before)
  assert.equal(shop.leftOvers(1), [])
  await mended()
}

/** The next good version comes up under traffic, and then there is nothing to do. */
async function mended(): Promise<void> {
  const name = `v${++count}`
  shop.next({ name })
  const { code, stdout, stderr, report } = await shop.underTraffic(() => shop.deploy(), { wholeSocket: false })
  assert.is(code, 0, stderr + stdout)
  assert.ok(Object.keys(report.bodies).includes(name), JSON.stringify(report.bodies))
  assert.is(shop.versions(1), name)
  assert.equal(shop.leftOvers(1), [])
  assert.equal((await shop.deploy()).ran, [])
}

/** The beginning of a program for ARM. */
const foreign = `\x7fELF${'\x02\x01\x01'}${'\0'.repeat(9)}\x02\0\x0d\0\x01${'\0'.repeat(60)}`

suite.run()
