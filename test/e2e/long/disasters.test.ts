/**
 * What can happen to hosts in the middle of a deploy, done for real: engines and proxies restarted and killed, machines rebooted, disks full, a
 * link that goes dead. Each time the run says so in bounded time with a true exit code, and the next plain deploy converges with nothing left over.
 */
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { type DelayProxy, startDelayProxy } from '../../lab/delay-proxy.ts'
import { EdgeShop } from '../../support/edge-shop.ts'
import { labSuite } from '../../support/lab-suite.ts'
import { eventually } from '../../support/processes.ts'
import { ranTasks } from '../../support/shop.ts'
import { startTraffic, type TrafficReport } from '../../support/traffic.ts'

const suite = await labSuite('e2e/long/disasters', 3)
const { test, lab } = suite
let shop: EdgeShop
let wire: DelayProxy
let number = 1

test.before(async () => {
  if (suite.obstacle !== undefined) return
  const { hosts, identityFile, knownHostsFile } = lab()
  const [gateway, , third] = hosts
  const second = hosts[1]
  if (!gateway || !second || !third) throw new Error('three hosts are needed')
  wire = await startDelayProxy({ target: { host: second.address, port: second.port }, delayMs: 0 })
  const common = `user: deploy, identity_file: "${identityFile}"`
  shop = new EdgeShop(lab(), {
    role: 'app',
    hosts: `[{ name: node-1, address: "${gateway.address}", ${common}, roles: [gateway] }, { name: node-2, address: 127.0.0.1, port: ${wire.port}, private_address: ${second.address}, ${common}, roles: [app] }, { name: node-3, address: "${third.address}", ${common}, roles: [app] }]`,
  })
  const key = readFileSync(knownHostsFile, 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[0]?.split(',').includes(second.address))
    ?.split(' ')
    .slice(1)
    .join(' ')
  appendFileSync(shop.path('stagecraft.known_hosts'), `[127.0.0.1]:${wire.port} ${key}\n`)
  // Ready after a while, so that there is a middle.
  shop.edit('app.mjs', (text) =>
    text.replace("response.end('ok')", "{ if (process.uptime() < 3) response.statusCode = 503; response.end('ok') }"),
  )
  shop.commit('slow')
  const { code, stdout, stderr } = await shop.deploy()
  // A hook that throws is not told.
  if (code !== 0) process.stdout.write(stdout + stderr)
  assert.is(code, 0)
})
test.after(async () => {
  if (suite.obstacle !== undefined) return
  try {
    shop.remove()
  } finally {
    await wire.close()
  }
})

const container = (host: number) => lab().hosts[host - 1]?.container ?? ''
const on = (host: number, line: string) =>
  execFileSync('docker', ['exec', container(host), 'sh', '-c', line], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
/** A program of this machine, not waited for here: traffic must go on. */
const aside = (...argv: string[]) =>
  new Promise<void>((resolve, reject) => {
    spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' }).on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${argv.join(' ')}: ${code}`)),
    )
  })
const asideOn = (host: number, line: string) => aside('docker', 'exec', container(host), 'sh', '-c', line)
const engineAnswers = (host: number) =>
  eventually(
    () =>
      asideOn(host, 'docker version').then(
        () => true,
        () => false,
      ),
    60_000,
  )

/** `node-2 v3 running unless-stopped`, for every container that is not kept, stopped, for a rollback. */
function containers(): readonly string[] {
  return [2, 3].flatMap((host) => {
    const format = '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}} {{.Id}}'
    const ids = on(host, `docker ps -aq --filter label=stagecraft.project=${shop.name}`).split('\n').filter(Boolean)
    return ids.flatMap((id) => {
      const [state = '', policy = '', whole = ''] = on(host, `docker inspect -f '${format}' ${id}`).split(' ')
      return state === 'exited'
        ? []
        : [`node-${host} ${state === 'running' ? on(host, `docker exec ${whole} cat /version`) : ''} ${state} ${policy}`]
    })
  })
}

function leftOver(): readonly string[] {
  return [1, 2, 3].flatMap((host) =>
    on(host, `find /opt/stagecraft/${shop.name} /opt/stagecraft/edge`)
      .split('\n')
      .filter((path) => /lock|incoming|\.tmp|\.new$/.test(path))
      .map((path) => `node-${host} ${path}`),
  )
}

interface Struck {
  readonly code: number | null
  readonly text: string
  readonly ran: readonly string[]
  /** From the blow to the end of the run. */
  readonly tookMs: number
}

/** Deploys a new version and strikes while its container on node-2 gets ready. */
async function struck(strike: () => Promise<void>): Promise<Struck> {
  number += 1
  shop.version(`v${number}`)
  let text = ''
  const deploying = shop.deploy([], {
    onSpawn: (child) => {
      child.stdout?.on('data', (chunk: string) => {
        text += chunk
      })
    },
  })
  await eventually(() => ranTasks(text.slice(0, text.lastIndexOf('\n'))).includes('rollout:web@node-2'), 60_000)
  await eventually(() => on(2, `docker ps -q --filter label=stagecraft.project=${shop.name}`).split('\n').length === 2, 120_000)
  const began = performance.now()
  const striking = strike()
  const { code, stdout, stderr, ran } = await deploying
  const tookMs = Math.round(performance.now() - began)
  await striking
  return { code, text: stdout + stderr, ran, tookMs }
}

/** What `docs/reliability.md` tells. */
function told(what: string, { code, text, tookMs }: Struck): void {
  const failure = /"failure":\{.*?"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? ''
  process.stdout.write(`\n  ${what}: exit ${code} after ${tookMs} ms, "${failure}"\n`)
}

async function converges(): Promise<void> {
  const next = await shop.deploy()
  assert.is(next.code, 0, next.stdout + next.stderr)
  assert.equal(containers(), [`node-2 v${number} running unless-stopped`, `node-3 v${number} running unless-stopped`])
  assert.equal(leftOver(), [])
  const answer = shop.onMachine('curl', '-s', '--max-time', '5', '-H', `Host: ${shop.domain}`, `http://${shop.host.address}/`)
  assert.is(answer, `v${number}`)
  const again = await shop.deploy()
  assert.equal([again.code, again.ran], [0, []], again.stderr)
}

/** Requests from before the blow until after the deploy that converges. */
async function underTraffic(what: string, strike: () => Promise<void>): Promise<{ readonly run: Struck; readonly traffic: TrafficReport }> {
  const requests = startTraffic({ address: shop.host.address, domain: shop.domain })
  try {
    await requests.until(`v${number}`)
    const run = await struck(strike)
    told(what, run)
    await converges()
    await requests.until(`v${number}`)
    const traffic = await requests.stop()
    process.stdout.write(`    ${traffic.failures.length} of ${traffic.requests} requests failed\n`)
    for (const line of traffic.failures.slice(0, 6)) process.stdout.write(`    ${line}\n`)
    return { run, traffic }
  } finally {
    await requests.stop()
  }
}

for (const [name, signal] of [
  ['restarted', 'TERM'],
  ['killed', 'KILL'],
] as const) {
  test(`the engine of a host is ${name} mid-deploy`, async () => {
    const { run } = await underTraffic(`engine ${name}`, async () => {
      await asideOn(2, `kill -${signal} $(pidof dockerd)`)
      await engineAnswers(2)
    })
    assert.ok([0, 2].includes(run.code ?? -1), run.text)
    assert.ok(run.tookMs < 150_000)
  })
}

for (const [name, line] of [
  ['restarted', 'docker restart -t 1 stagecraft-edge-proxy-1'],
  ['killed', "kill -9 $(docker inspect -f '{{.State.Pid}}' stagecraft-edge-proxy-1)"],
] as const) {
  test(`the proxy of the gateway is ${name} mid-deploy`, async () => {
    const { run } = await underTraffic(`proxy ${name}`, () => asideOn(1, line))
    assert.ok([0, 2].includes(run.code ?? -1), run.text)
    assert.ok(run.tookMs < 150_000)
  })
}

test('a host is rebooted mid-deploy: its containers come back, and the others serve meanwhile', async () => {
  const { run } = await underTraffic('host rebooted', async () => {
    await aside('docker', 'restart', '-t', '2', container(2))
    await engineAnswers(2)
  })
  assert.is(run.code, 2, run.text)
  assert.match(run.text, /node-2/)
  assert.ok(run.tookMs < 150_000)
})

test('the gateway is rebooted mid-deploy', async () => {
  const { run } = await underTraffic('gateway rebooted', async () => {
    await aside('docker', 'restart', '-t', '2', container(1))
    await engineAnswers(1)
  })
  assert.ok([0, 2].includes(run.code ?? -1), run.text)
  assert.ok(run.tookMs < 150_000)
})

test('a link that goes dead mid-deploy is noticed, and the run ends with a true code', async () => {
  const { run } = await underTraffic('link dead', async () => {
    wire.pause()
    await new Promise((resolve) => setTimeout(resolve, 70_000)).finally(() => wire.cut())
    wire.resume()
  })
  assert.is(run.code, 2, run.text)
  assert.match(run.text, /the connection to node-2 .* was lost: no sign of life from the host/)
  assert.ok(run.tookMs < 150_000)
})

/** The project's folder on node-2 becomes a file system of its own, of a few pages, with what is in it. */
function smallDisk(folder: string): { readonly fill: (leaving: number) => void; readonly free: () => void; readonly undo: () => void } {
  on(
    2,
    `cp -a ${folder} /tmp/kept && mount -t tmpfs -o size=400k,mode=2775 tmpfs ${folder} && chown deploy:docker ${folder} && cp -a /tmp/kept/. ${folder}/`,
  )
  return {
    fill: (leaving) => on(2, `cd ${folder} && dd if=/dev/zero of=filler bs=4k 2>/dev/null; truncate -s -${leaving} filler`),
    free: () => on(2, `rm -f ${folder}/filler`),
    undo: () =>
      on(2, `rm -rf /tmp/kept && cp -a ${folder} /tmp/kept && umount ${folder} && cp -a /tmp/kept/. ${folder}/ && rm -rf /tmp/kept`),
  }
}

for (const [name, leaving] of [
  ['full', 0],
  ['full but for 8 KiB', 8192],
] as const) {
  test(`the disk with the project's folder is ${name}: said with host, path and remedy, and nothing half written is current`, async () => {
    const folder = `/opt/stagecraft/${shop.name}`
    const disk = smallDisk(folder)
    const requests = startTraffic({ address: shop.host.address, domain: shop.domain })
    try {
      const current = on(2, `readlink ${folder}/prod/current`)
      disk.fill(leaving)
      number += 1
      shop.version(`v${number}`)
      const began = performance.now()
      const { code, stdout, stderr } = await shop.deploy()
      told(`disk ${name}`, { code, text: stdout + stderr, ran: [], tookMs: Math.round(performance.now() - began) })
      assert.is(code, 2, stdout + stderr)
      assert.match(stdout, /node-2 \(deploy@[^)]*\): [^"]*\/opt\/stagecraft\/[^"]*: no space left/)
      assert.match(stdout, /free some disk space on the host/)
      assert.is(on(2, `readlink ${folder}/prod/current`), current)
      assert.match(on(2, `cat ${folder}/prod/${current}/docker-compose.yml`), /services:/)
      disk.free()
      await converges()
      const { failures, requests: asked } = await requests.stop()
      process.stdout.write(`    ${failures.length} of ${asked} requests failed\n`)
      assert.equal(failures, [])
    } finally {
      await requests.stop()
      disk.undo()
    }
  })
}

suite.run()
