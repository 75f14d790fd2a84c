/** What a deploy does not do again: counted, as well as measured. */
import type { LabHost } from '../lab/lab.ts'
import { ranTasks, Shop } from '../support/shop.ts'
import { withoutDatabase } from '../support/shop-variants.ts'
import { type Bench, deployed, reach } from './bench.ts'
import { measureOnWire, onWires } from './on-wire.ts'
import type { Row, Section } from './report.ts'
import { rolloutPeers } from './rollout-peers.ts'

export async function changes(bench: Bench, host: LabHost): Promise<Section> {
  const { lab, runs, say, stagecraft } = bench
  const shop = new Shop(lab)
  try {
    withoutDatabase(shop)
    const versions = await twoVersions(shop)
    const direct = shop.read('stagecraft.yml')
    const deploy = stagecraft(['deploy', '--env', 'prod'], shop.directory)
    let turn = 0
    const overWires: readonly Row[] = [
      ...(await onWires(lab, host, async (wire, roundTripMs) => {
        say(`rolling one service, ${roundTripMs} ms`)
        reach(shop, wire)
        return [
          await measureOnWire('`stagecraft deploy`, one ready service of three, image there', deploy, wire, roundTripMs, runs, () => {
            turn += 1
            useVersion(shop, (turn % 2) + 1)
          }),
        ]
      })),
      ...(await rolloutPeers(bench, shop, host, versions)),
    ]
    // The wires are gone.
    shop.write('stagecraft.yml', direct)
    const rows = [...overWires, await configOnly(shop, say), await resumed(shop, say)]
    const columns = ['round trip', 'connections', 'round trips', 'done again']
    return { title: 'One change', columns, rows: rows.map((row) => ({ ...row, more: [...row.more, '', '', '', ''].slice(0, 4) })) }
  } finally {
    shop.remove()
  }
}

function useVersion(shop: Shop, version: number): void {
  shop.write('web/www/version', `${version}\n`)
  shop.commit(`version ${version}`)
}

/** Deploys both, so that their images are in the registry and on the host. @returns their references. */
async function twoVersions(shop: Shop): Promise<readonly [string, string]> {
  const images: string[] = []
  for (const version of [1, 2]) {
    useVersion(shop, version)
    await deployed(shop)
    images.push(shop.onHost('docker', 'inspect', '--format', '{{.Config.Image}}', shop.container('web').id).trim())
  }
  const [first = '', second = ''] = images
  return [first, second]
}

/** A change of the environment of one service: nothing is built, pushed or pulled. */
async function configOnly(shop: Shop, say: (line: string) => void): Promise<Row> {
  say('a change of configuration alone')
  shop.edit('docker-compose.yml', (text) => text.replace('THEME: light', 'THEME: dark'))
  shop.commit('theme')
  const since = shop.onHost('date', '+%s').trim()
  const began = performance.now()
  const ran = await deployed(shop)
  const ms = performance.now() - began
  const until = String(Number(shop.onHost('date', '+%s').trim()) + 1)
  const pulls = shop.onHost('docker', 'events', '--since', since, '--until', until, '--filter', 'type=image', '--filter', 'event=pull')
  const count = (kind: string) => ran.filter((task) => task.startsWith(`${kind}:`)).length
  const again = `${count('build')} builds, ${count('push')} pushes, ${pulls.split('\n').filter(Boolean).length} pulls`
  return {
    what: '`stagecraft deploy`, a changed variable of one service',
    times: { median: ms, min: ms, max: ms },
    more: ['0 ms', '', '', again],
  }
}

/** Killed when the first service has been rolled; what was finished by then is not done again. */
async function resumed(shop: Shop, say: (line: string) => void): Promise<Row> {
  say('killed half-way, and resumed')
  for (const name of ['api', 'web']) shop.write(`${name}/www/version`, 'resumed\n')
  shop.commit('to be resumed')
  const finished: string[] = []
  await shop.deploy([], {
    onSpawn(child) {
      child.stdout?.on('data', (chunk: Buffer | string) => {
        finished.push(...finishedTasks(String(chunk)))
        if (finished.some((task) => task.startsWith('rollout:'))) child.kill('SIGKILL')
      })
    },
  })
  const began = performance.now()
  const { code, stdout, stderr } = await shop.deploy()
  if (code !== 0) throw new Error(stdout + stderr)
  const ms = performance.now() - began
  const ran = ranTasks(stdout)
  const again = finished.filter((task) => ran.includes(task)).length
  const what = `\`stagecraft deploy\` after \`kill -9\` with ${finished.length} tasks done`
  return { what, times: { median: ms, min: ms, max: ms }, more: ['0 ms', '', '', `${again} tasks`] }
}

function finishedTasks(events: string): readonly string[] {
  return events.split('\n').flatMap((line) => {
    const [, task] = /"type":"finished".*?"task":"([^"]+)"/.exec(line) ?? []
    return task !== undefined && line.includes('"status":"ran"') ? [task] : []
  })
}
