/** A first deploy that is killed: there is nothing to fall back on, and the next plain deploy finishes it all the same. */
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { Shop } from '../support/shop.ts'

const suite = await labSuite('e2e/first-deploy')
const { test } = suite

for (const point of ['after-task upload:node-1', 'after-task rollout:db@node-1', 'after-task rollout:api@node-1']) {
  test(`killed at ${point}`, async () => {
    const shop = new Shop(suite.lab())
    try {
      const killed = await shop.deploy([], { unbundled: true, env: { STAGECRAFT_FAULT: point } })
      assert.is(killed.signal, 'SIGKILL', killed.stdout + killed.stderr)
      const { code, stdout, stderr } = await shop.deploy()
      assert.is(code, 0, stderr + stdout)
      assert.equal(
        shop
          .containers()
          .map(({ service, state }) => `${service} ${state}`)
          .sort(),
        ['api running', 'db running', 'web running', 'worker running'],
      )
      for (const { id } of shop.containers()) assert.match(shop.startedAt(id), / 0 unless-stopped$/)
      assert.is(shop.psql('select count(*) from products'), '2')
      assert.not.match(shop.remoteFiles(), /incoming|\.tmp|lock/)
      assert.equal((await shop.deploy()).ran, [])
    } finally {
      shop.remove()
    }
  })
}

suite.run()
