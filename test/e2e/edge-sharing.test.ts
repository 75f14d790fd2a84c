/** Two projects and two environments on one host, behind one proxy: what one does is nothing to the others. */
import * as assert from 'uvu/assert'
import { edgeSuite } from '../support/edge-suite.ts'

const suite = await edgeSuite('e2e/edge-sharing')
const { test, open, users } = suite

test('environments and projects share a proxy: swaps, maintenance and the end of one are nothing to the others', async () => {
  const shop = open({ stage: true })
  const blog = open({ settings: 'inner_port: 9009' })
  assert.is((await shop.deploy()).code, 0)
  const stage = await shop.run(['run', 'deploy', '--env', 'stage', '--format', 'json'])
  assert.is(stage.code, 0, stage.stderr)
  const joined = await blog.deploy()
  assert.is(joined.code, 0, joined.stderr)
  const stageHost = ['-H', `Host: stage.${shop.domain}`]
  assert.match(shop.curl('/', ...stageHost), /200 OK.*v1/s)
  assert.equal((await shop.deploy()).ran, [], 'another project’s inner port is no difference')

  const traffic = await users(shop)
  assert.is((await blog.run(['maintenance', 'on', '--env', 'prod'])).code, 0)
  assert.match(blog.curl('/'), /503.*Retry-After: 60.*Back soon/s)
  blog.version('v2')
  assert.is((await blog.deploy()).code, 0)
  assert.is((await blog.run(['maintenance', 'off', '--env', 'prod'])).code, 0)
  assert.match(blog.curl('/'), /200 OK.*v2/s)
  const report = await traffic.stop()
  assert.equal(report.failures, [], JSON.stringify(report))
  assert.is(report.socket.endedAfterMs, undefined, 'the WebSocket of another project was cut')

  blog.edit('stagecraft.yml', (text) => text.replace(/ {4}route: .*\n/, ''))
  const plan = await blog.run(['plan', '--env', 'prod'])
  assert.match(plan.stdout, /finalize:prod +(may )?run /)
  const ended = await blog.deploy()
  assert.is(ended.code, 0, ended.stderr)
  assert.match(blog.curl('/'), /404 Not Found/)
  assert.is(
    shop.onHost('sh', '-c', `cd /opt/stagecraft/edge && ls -d */${blog.name}.* live/.sets/${blog.name}.* 2>/dev/null || true`).trim(),
    '',
  )
  assert.not.match(shop.edgeFile('proxy.json'), blog.name)
  assert.equal((await blog.deploy()).ran, [])
  assert.match(shop.curl('/'), /200 OK.*v1/s)
  assert.match(shop.curl('/', ...stageHost), /200 OK.*v1/s)
})

suite.run()
