/** What `plan` says a deploy does it, over changes of every sort; a plan that was kept is carried out, or refused when anything moved. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { type Finished, Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/saved-plan')
const { test } = suite
let shop: Shop

test.before(async () => {
  shop = new Shop(suite.lab())
  const { code, stderr, stdout } = await shop.deploy()
  assert.is(code, 0, stderr + stdout)
})
test.after(() => shop.remove())

type State = 'fresh' | 'run' | 'may-run' | 'unknown'

async function planned(): Promise<ReadonlyMap<string, State>> {
  const { code, stdout, stderr } = await shop.run(['plan', '--env', 'prod', '--format', 'json'])
  assert.is(code, 0, stderr)
  const { tasks } = JSON.parse(stdout) as { readonly tasks: readonly { readonly id: string; readonly state: State }[] }
  return new Map(tasks.map(({ id, state }) => [id, state]))
}

function keep(): Promise<Finished> {
  return shop.run(['plan', '--env', 'prod', '--out', 'prod.plan.json'])
}

function carryOut(...more: readonly string[]) {
  return shop.run(['deploy', '--plan', 'prod.plan.json', '--format', 'json', ...more])
}

function assertWithin(plan: ReadonlyMap<string, State>, ran: readonly string[], what: string): void {
  for (const [id, state] of plan) {
    if (state === 'run') assert.ok(ran.includes(id), `${what}: ${id} was to run, and did not`)
    if (state === 'fresh') assert.not.ok(ran.includes(id), `${what}: ${id} was up to date, and ran`)
  }
  for (const id of ran) assert.ok(plan.has(id), `${what}: ${id} ran, and is not in the plan`)
}

let count = 0
const changes: Readonly<Record<string, () => void>> = {
  'the source of a service': () => shop.write('api/www/version', `v${++count}\n`),
  'a variable of the environment': () =>
    shop.writeEnvironment({
      POSTGRES_PASSWORD: shop.password,
      DATABASE_URL: `postgres://shop:${shop.password}@db:5432/shop?application_name=a${++count}`,
    }),
  'a key of the Compose file': () =>
    shop.edit('docker-compose.yml', (text) => text.replace(/^ {2}worker:\n/m, `  worker:\n    labels: {n: "${++count}"}\n`)),
  'a container stopped by hand': () => void shop.onHost('docker', 'stop', '-t', '0', shop.container('worker').id),
  'a new commit and nothing else': () => void shop.commit(`empty ${++count}`),
}

for (const [what, change] of Object.entries(changes)) {
  test(`${what}: the deploy is within what the plan said`, async () => {
    change()
    const plan = await planned()
    const { code, ran, stdout, stderr } = await shop.deploy()
    assert.is(code, 0, stderr + stdout)
    assertWithin(plan, ran, what)
    assert.not.ok(
      [...(await planned()).values()].some((state) => state !== 'fresh'),
      'afterwards there is nothing to do',
    )
    if (what.includes('Compose')) shop.edit('docker-compose.yml', (text) => text.replace(/^ {4}labels: \{n: .*\n/m, ''))
  })
}

test('a plan that was kept is carried out: no more and no less', async () => {
  shop.write('web/www/version', 'kept\n')
  const kept = await keep()
  assert.is(kept.code, 0, kept.stderr)
  const text = shop.read('prod.plan.json')
  assert.not.match(text, shop.password)
  assert.is((await keep()).code, 0)
  assert.is(shop.read('prod.plan.json'), text, 'the same project and the same hosts give the same bytes')
  const { code, stdout, stderr } = await carryOut()
  assert.is(code, 0, stdout + stderr)
  assert.is(shop.answer('web', '/version'), 'kept')
  const again = await carryOut()
  assert.is(again.code, 2, again.stderr)
  assert.match(again.stderr, /is live, and was/)
})

test('what moved on a host since is named, and nothing is done', async () => {
  shop.write('web/www/version', 'moved\n')
  assert.is((await keep()).code, 0)
  const { id, name } = shop.container('worker')
  shop.onHost('docker', 'stop', '-t', '0', id)
  const before = shop.remoteFiles()
  const { code, stderr } = await carryOut()
  assert.is(code, 2, stderr)
  assert.match(stderr, `node-1: ${name} of worker is exited, and was running`)
  assert.is(shop.remoteFiles(), before, 'not even a lock was taken')
  shop.onHost('docker', 'start', id)
})

test('what moved in the checkout since is named, and so is a file that is no plan of this environment', async () => {
  assert.is((await keep()).code, 0)
  shop.write('web/www/version', 'later\n')
  const moved = await carryOut()
  assert.is(moved.code, 1, moved.stderr)
  assert.match(moved.stderr, /SC3075/)
  assert.match(moved.stderr, 'build:web: file web/www/version changed')
  const text = shop.read('prod.plan.json')
  for (const [change, expected] of [
    [text.replace('"version": "', '"version": "x'), /SC3072.*was changed after it was written/],
    [text.replace('"schema_version": 1', '"schema_version": 9'), /SC3071.*schema version 9/],
    ['{}', /SC3071.*is no plan/],
  ] as const) {
    shop.write('prod.plan.json', change)
    const { code, stderr } = await carryOut()
    assert.is(code, 1, stderr)
    assert.match(stderr, expected)
  }
  shop.write('prod.plan.json', text)
  assert.match((await carryOut('--env', 'staging')).stderr, /SC3073/)
  assert.match((await carryOut('--services', 'web')).stderr, /SC3074.*--services/)
})

suite.run()
