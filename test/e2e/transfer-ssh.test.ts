/** Images without a registry on real hosts: what is sent, what is not, and what becomes of a transfer that is cut short. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { labSuite } from '../support/lab-suite.ts'
import { hostNames, SentShop } from '../support/sent-shop.ts'
import type { Finished } from '../support/shop.ts'

const suite = await labSuite('e2e/transfer-ssh', 2)
const { test } = suite
let shop: SentShop
let elsewhere = ''

test.before(async () => {
  shop = await SentShop.open(suite.lab())
  elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'))
})
test.after(() => {
  rmSync(elsewhere, { recursive: true, force: true })
  shop.remove()
})

/** Lines that transfers wrote, by task. */
const said = ({ stdout }: Finished): readonly string[] =>
  stdout.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    const event = JSON.parse(line) as { type?: string; task?: string; line?: string }
    return event.type === 'output' && event.task?.startsWith('transfer:') ? [`${event.task} ${event.line}`] : []
  })
/** Bytes that went to each host meanwhile. */
async function counted<T>(work: () => Promise<T>): Promise<{ readonly done: T; readonly bytes: Readonly<Record<string, number>> }> {
  const before = hostNames.map((name) => shop.link(name).stats().bytesUp)
  const done = await work()
  return { done, bytes: Object.fromEntries(hostNames.map((name, index) => [name, shop.link(name).stats().bytesUp - (before[index] ?? 0)])) }
}
const everywhere = () => hostNames.map((name) => shop.runs(name).version)

test('a first deploy to two hosts, with no registry anywhere', async () => {
  const { done, bytes } = await counted(() => shop.deploy(['--version', 'v1']))
  assert.is(done.code, 0, done.stdout + done.stderr)
  assert.equal(everywhere(), ['1', '1'])
  assert.equal(done.ran.filter((id) => /^(push|transfer):/.test(id)).sort(), ['transfer:web@node-1', 'transfer:web@node-2'])
  const lines = said(done)
  for (const name of hostNames) {
    assert.ok((bytes[name] ?? 0) > 23_000_000, `${bytes[name]} bytes`)
    assert.ok(
      lines.some((line) => new RegExp(`^transfer:web@${name} sent (\\d+) of \\d+ layers, 2[0-9.]+ MB$`).test(line)),
      lines.join('\n'),
    )
    assert.equal(
      shop.images(name).filter((image) => image.includes(':part-')),
      [],
    )
  }
  const folder = shop.path('.stagecraft/transfer')
  assert.equal(existsSync(folder) ? readdirSync(folder) : [], [])
})

test('the same again has nothing to do, on a machine that has never seen it too', async () => {
  const { done, bytes } = await counted(() => shop.deploy(['--version', 'v1']))
  assert.equal([done.code, done.ran], [0, []])
  assert.ok((bytes['node-1'] ?? 0) < 100_000)
  cpSync(shop.directory, elsewhere, { recursive: true })
  rmSync(join(elsewhere, '.stagecraft'), { recursive: true, force: true })
  const fresh = await shop.run(['deploy', '--env', 'prod', '--version', 'v1', '--format', 'json'], { cwd: elsewhere })
  assert.is(fresh.code, 0, fresh.stderr)
  assert.not.match(fresh.stdout, /"type":"started","task":"(build|transfer|rollout)/)
})

test('a second version sends the layer that changed, and nothing below it', async () => {
  const before = hostNames.map((name) => shop.runs(name).containers)
  shop.release('2')
  const { done, bytes } = await counted(() => shop.deploy(['--version', 'v2']))
  assert.is(done.code, 0, done.stdout + done.stderr)
  assert.equal(everywhere(), ['2', '2'])
  for (const name of hostNames) {
    assert.ok((bytes[name] ?? 0) < 200_000, `${bytes[name]} bytes`)
    assert.ok(
      said(done).some((line) => new RegExp(`^transfer:web@${name} sent 1 of \\d+ layers, 1 kB$`).test(line)),
      said(done).join('\n'),
    )
  }
  assert.not.equal(
    hostNames.map((name) => shop.runs(name).containers),
    before,
  )
})

test('back to v1 and forward to v2: nothing is built, and nothing sent', async () => {
  const { done, bytes } = await counted(() => shop.run(['rollback', '--env', 'prod', '--to-previous', '--format', 'json']))
  assert.is(done.code, 0, done.stdout + done.stderr)
  assert.equal(everywhere(), ['1', '1'])
  assert.ok((bytes['node-1'] ?? 0) < 200_000)
  const forward = await shop.run(['rollback', '--env', 'prod', '--to-version', 'v2'])
  assert.is(forward.code, 0, forward.stdout + forward.stderr)
  assert.equal(everywhere(), ['2', '2'])
})

test('a host that was wiped gets all of it again, and nothing happens to the other', async () => {
  shop.wipe('node-2')
  const kept = shop.runs('node-1').containers
  const { done, bytes } = await counted(() => shop.deploy(['--version', 'v2']))
  assert.is(done.code, 0, done.stdout + done.stderr)
  assert.equal(everywhere(), ['2', '2'])
  assert.ok((bytes['node-2'] ?? 0) > 23_000_000)
  assert.ok((bytes['node-1'] ?? 0) < 200_000)
  assert.equal(shop.runs('node-1').containers, kept)
})

test('a rollback from another machine takes the image from the host that has it; without any, it says so and changes nothing', async () => {
  const [, local = ''] =
    shop
      .images('node-1')
      .find((name) => name.includes(':sha256-'))
      ?.split(':') ?? []
  assert.ok(local)
  shop.wipe('node-2')
  for (const name of localImages()) shop.onMachine('docker', 'image', 'rm', '--force', name)
  const back = await shop.run(['rollback', '--env', 'prod', '--to-version', 'v1', '--format', 'json'])
  assert.is(back.code, 0, back.stdout + back.stderr)
  assert.equal(everywhere(), ['1', '1'])
  assert.ok(
    said(back).some((line) => /^transfer:web@node-2 sending \d+ of \d+ layers from node-1 to node-2/.test(line)),
    said(back).join('\n'),
  )

  const digests = new Set(hostNames.flatMap((name) => shop.images(name)).filter((name) => name.includes(':sha256-')))
  const running = new Set(hostNames.flatMap((name) => imagesInUse(name)))
  for (const name of hostNames) for (const image of digests) if (!running.has(image)) removeIfThere(name, image)
  for (const name of hostNames)
    for (const image of shop.images(name)) if (image.includes(':sc-') && !isInUse(name, image)) removeIfThere(name, image)
  const lost = await shop.run(['rollback', '--env', 'prod', '--to-version', 'v2'])
  assert.is(lost.code, 2, lost.stdout + lost.stderr)
  assert.match(lost.stderr + lost.stdout, /was sent without a registry, and neither this machine nor a host has it any more/)
  assert.equal(everywhere(), ['1', '1'])
})

test('a link that is cut in the middle: nothing rolls, and the next deploy sends only the rest', async () => {
  shop.layer('base', 12_000_000)
  shop.layer('more', 11_000_000)
  shop.release('3')
  let isCut = false
  const running = shop.deploy(['--version', 'v3'], {
    onSpawn: (child) =>
      child.stdout?.on('data', (text: Buffer) => {
        if (isCut || !/"task":"transfer:web@node-2".*sent 1 of/.test(String(text))) return
        isCut = true
        shop.link('node-2').cut()
      }),
  })
  const cut = await running
  assert.ok(isCut, said(cut).join('\n'))
  assert.is(cut.code, 2, cut.stdout + cut.stderr)
  assert.equal(everywhere(), ['1', '1'])
  const { done, bytes } = await counted(() => shop.deploy(['--version', 'v3']))
  assert.is(done.code, 0, done.stdout + done.stderr)
  assert.equal(everywhere(), ['3', '3'])
  assert.ok((bytes['node-2'] ?? 0) < 12_500_000, `${bytes['node-2']} bytes`)
  for (const name of hostNames)
    assert.equal(
      shop.images(name).filter((image) => image.includes(':part-')),
      [],
    )
})

test('an sshd that forwards nothing at all', async () => {
  const port = 20_000 + Math.floor(Math.random() * 10_000)
  const pidFile = `/run/sshd-${port}.pid`
  const flags = [
    '-o',
    'AllowTcpForwarding=no',
    '-o',
    'AllowStreamLocalForwarding=no',
    '-o',
    'DisableForwarding=yes',
    '-o',
    `PidFile=${pidFile}`,
  ]
  shop.on('node-2', '/usr/sbin/sshd', '-p', String(port), ...flags)
  try {
    shop.configure({ ports: { 'node-2': port } })
    shop.release('4')
    const { code, stdout, stderr } = await shop.deploy(['--version', 'v4'])
    assert.is(code, 0, stdout + stderr)
    assert.equal(everywhere(), ['4', '4'])
  } finally {
    shop.on('node-2', 'sh', '-c', 'kill "$(cat "$0")"', pidFile)
    shop.configure()
  }
})

test('prune keeps what kept releases need', async () => {
  const pruned = await shop.run(['prune', '--env', 'prod', '--keep', '2'])
  assert.is(pruned.code, 0, pruned.stdout + pruned.stderr)
  const back = await shop.run(['rollback', '--env', 'prod', '--to-previous'])
  assert.is(back.code, 0, back.stdout + back.stderr)
  assert.equal(everywhere(), ['3', '3'])
})

test('without a registry, and not told to send, it says how', async () => {
  shop.configure({ project: 'compose_file: docker-compose.yml' })
  const { code, stderr } = await shop.deploy()
  shop.configure()
  assert.is(code, 1)
  assert.match(stderr, /SC1033[\s\S]*`transfer: ssh`/)
})

function localImages(): readonly string[] {
  return shop.onMachine('docker', 'images', '--format', '{{.Repository}}:{{.Tag}}', `${shop.name}-web`).split('\n').filter(Boolean)
}
function imagesInUse(host: string): readonly string[] {
  return shop.on(host, 'docker', 'ps', '--format', '{{.Image}}', '--filter', `label=stagecraft.project=${shop.name}`).split('\n')
}
function isInUse(host: string, image: string): boolean {
  const idOf = (name: string) => shop.on(host, 'docker', 'image', 'inspect', '--format', '{{.Id}}', name)
  return imagesInUse(host).some((name) => idOf(name) === idOf(image))
}
function removeIfThere(host: string, image: string): void {
  if (shop.images(host).includes(image)) shop.on(host, 'docker', 'image', 'rm', '--force', image)
}

suite.run()
