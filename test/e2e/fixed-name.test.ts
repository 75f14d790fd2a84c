/** A fixed `container_name`, which Compose lets only one container of a service have, even beside a stopped one. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/fixed-name')
const { test } = suite
let shop: Shop
let name: string

const workers = () =>
  shop
    .containers()
    .filter(({ service }) => service === 'worker')
    .map((container) => `${container.name} ${container.state}`)

test.before(() => {
  shop = new Shop(suite.lab())
  name = `${shop.name}-the-worker`
  shop.edit('docker-compose.yml', (text) => text.replace('  worker:\n', `  worker:\n    container_name: ${name}\n`))
})
test.after(() => shop.remove())

test('the first container has the name, and a later one takes it over', async () => {
  const first = await shop.deploy()
  assert.is(first.code, 0, first.stdout + first.stderr)
  assert.equal(workers(), [`${name} running`])
  shop.edit('worker/work.sh', (text) => text.replace(/worker: ready.*"/, 'worker: ready 2"'))
  const second = await shop.deploy()
  assert.is(second.code, 0, second.stdout + second.stderr)
  assert.equal(workers(), [`${name} running`])
  assert.equal((await shop.deploy()).ran, [])
})

test('one that fails gives the name back', async () => {
  const before = shop.container('worker').id
  shop.edit('worker/Dockerfile', (text) => text.replace(/CMD .*/, 'CMD ["false"]'))
  assert.is((await shop.deploy()).code, 2)
  assert.equal(workers(), [`${name} running`])
  assert.is(shop.container('worker').id, before)
})

suite.run()
