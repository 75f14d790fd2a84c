/** What somebody does to a host by hand: `status` and `plan` show it, `deploy` puts it right, and then there is nothing to do. */
import * as assert from 'uvu/assert'
import { EdgeShop } from '../support/edge-shop.ts'
import { labSuite } from '../support/lab-suite.ts'

const suite = await labSuite('e2e/disasters-by-hand')
const { test } = suite
let shop: EdgeShop | undefined
test.after(() => shop?.remove())

test('stopped, removed, or an edited edge file: seen, repaired by deploy, and then there is nothing to do', async () => {
  const here = new EdgeShop(suite.lab())
  shop = here
  const first = await here.deploy()
  assert.is(first.code, 0, first.stderr)
  const key = `${here.name}.prod.web`
  const answer = () => here.onMachine('curl', '-s', '--max-time', '5', '-H', `Host: ${here.domain}`, `http://${here.host.address}/`)
  const well = await here.run(['status', '--env', 'prod', '--exit-code'])
  assert.is(well.code, 0, well.stdout + well.stderr)

  const edge = '/opt/stagecraft/edge'
  const own = `${edge}/services/${key}.json`
  const harms: readonly (readonly [name: string, harm: () => void, inStatus: RegExp, inPlan: RegExp])[] = [
    [
      'docker stop',
      () => here.onHost('docker', 'stop', '-t', '1', here.container('web').id),
      /was stopped by hand/,
      /rollout:web@node-1 +run /,
    ],
    [
      'docker rm',
      () => here.onHost('docker', 'rm', '-f', here.container('web').id),
      /no container of web is there/,
      /rollout:web@node-1 +run /,
    ],
    ['edited', () => here.onHost('sh', '-c', `echo '{}' > ${own}`), told('web', own), /edge:web@node-1 +run /],
    [
      'edited whole',
      () => here.onHost('sh', '-c', `echo '{}' > ${edge}/caddy.json`),
      told('(proxy)', `${edge}/caddy.json`),
      /(proxy|edge):\S+ +run /,
    ],
  ]
  for (const [name, harm, inStatus, inPlan] of harms) {
    harm()
    const status = await here.run(['status', '--env', 'prod', '--exit-code'])
    assert.is(status.code, 10, `${name}: ${status.stdout}${status.stderr}`)
    assert.match(status.stdout, inStatus, name)
    const plan = await here.run(['plan', '--env', 'prod'])
    assert.match(plan.stdout, inPlan, name)
    const repaired = await here.deploy()
    assert.is(repaired.code, 0, `${name}: ${repaired.stdout}${repaired.stderr}`)
    assert.is(answer(), 'v1', name)
    const after = await here.run(['status', '--env', 'prod', '--exit-code'])
    assert.is(after.code, 0, `${name}: ${after.stdout}`)
    assert.equal((await here.deploy()).ran, [], name)
  }
})

function told(subject: string, file: string): RegExp {
  const line = `node-1 ${subject}: ${file} is not as a deploy wrote it`
  return new RegExp(`^${line.replace(/[.()]/g, '\\$&')}$`, 'm')
}

suite.run()
