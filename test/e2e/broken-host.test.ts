/** A version that is broken on the second of three hosts only, behind a gateway, for each way to go on after that. */
import * as assert from 'uvu/assert'
import { within } from '../support/assertions.ts'
import { BrokenShop, type Mode } from '../support/broken-shop.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/broken-host', 3)
const { test } = suite
const hosts = [1, 2, 3] as const
/** The gate's 15 s, and what building, going back and a machine full of tests take. */
const longestMs = 120_000
let shop: BrokenShop
let count = 1

test.before(async () => {
  shop = new BrokenShop(suite.lab(), { hosts: 3 })
  const { code, stderr, stdout } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
})
test.after(() => shop?.remove())

const rolled = (ran: readonly string[]) => ran.filter((id) => id.startsWith('rollout:')).sort()

interface Row {
  readonly onFailure: 'rollback' | 'hold' | 'continue'
  readonly mode: Mode
  readonly code: number
  /** Hosts that run the new version afterwards. */
  readonly swapped: readonly number[]
  readonly said: readonly RegExp[]
}

const rows: readonly Row[] = [
  {
    onFailure: 'rollback',
    mode: 'other-port',
    code: 2,
    swapped: [],
    said: [
      /the new container of web on node-2 does not answer: .*502/,
      /this is v\d+, other-port/,
      /node-1, node-2, node-3 run what they ran before/,
    ],
  },
  {
    onFailure: 'hold',
    mode: 'exits',
    code: 10,
    swapped: [1],
    said: [
      /web on node-2 exited with code 3/,
      /cannot find the shop window/,
      /node-1 runs the new web/,
      /node-2, node-3 run what they ran before/,
    ],
  },
  {
    onFailure: 'continue',
    mode: 'unhealthy',
    code: 10,
    swapped: [1, 3],
    said: [/web on node-2 is unhealthy/, /last health check: .*503/, /node-1, node-3 run the new web/, /node-2 runs what it ran before/],
  },
]

for (const row of rows)
  test(`broken on the second host, on_failure ${row.onFailure}: users notice nothing, and the mended fleet converges`, () =>
    within(400_000, tryOut(row)))

async function tryOut({ onFailure, mode, code, swapped, said }: Row): Promise<void> {
  shop.configure({ rollout: `{ on_failure: ${onFailure}, batch: 1 }` })
  const old = `v${count}`
  const name = `v${++count}`
  const before = hosts.map((host) => shop.state(host))
  shop.next({ name })
  shop.breakOn(2, name, mode)
  const failed = await shop.underTraffic(() => shop.run(['deploy', '--env', 'prod']), { wholeSocket: false })
  const text = failed.stderr + failed.stdout
  assert.is(failed.code, code, text)
  for (const words of said) assert.match(text.slice(text.indexOf('✖')), words)
  process.stderr.write(`  ${onFailure}, ${mode}: ${(failed.tookMs / 1000).toFixed(1)} s\n`)
  assert.ok(failed.tookMs < longestMs, `${failed.tookMs} ms`)
  for (const host of hosts) {
    if (swapped.includes(host)) assert.is(shop.versions(host), `exited ${name}`, `node-${host} keeps the old one, stopped`)
    else assert.equal(shop.state(host), before[host - 1], `node-${host} is as it was`)
    assert.equal(shop.leftOvers(host), [], `nothing is left on node-${host}`)
  }
  const versions = Object.keys(failed.report.bodies).filter((body) => !body.startsWith('slow'))
  assert.ok(
    versions.every((body) => body === old || body === name),
    JSON.stringify(failed.report.bodies),
  )

  shop.mend(2, name)
  const mended = await shop.underTraffic(() => shop.deploy(), { wholeSocket: false })
  assert.is(mended.code, 0, mended.stderr + mended.stdout)
  assert.equal(
    rolled(mended.ran),
    hosts.filter((host) => !swapped.includes(host)).map((host) => `rollout:web@node-${host}`),
    'hosts that were done are not rolled again',
  )
  for (const host of hosts) {
    assert.is(shop.versions(host), name)
    assert.equal(shop.leftOvers(host), [])
  }
  assert.equal((await shop.deploy()).ran, [])
}

suite.run()
