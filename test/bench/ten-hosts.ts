/** A deploy with nothing to do on ten hosts at once, each at the end of a wire of its own. */
import type { LabHost } from '../lab/lab.ts'
import { Shop } from '../support/shop.ts'
import { onEveryHost, withoutDatabase } from '../support/shop-variants.ts'
import { openWire, type Wire } from '../support/wire.ts'
import { type Bench, deployed } from './bench.ts'
import { runOnce, timesOf } from './measure.ts'
import type { Row } from './report.ts'

const roundTripMs = 50

export async function tenHosts({ lab, runs, stagecraft, say }: Bench): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const count of [1, 10]) {
    const hosts = lab.hosts.slice(0, count)
    say(`doing nothing on ${hosts.length} hosts`)
    const shop = new Shop(lab)
    const wires: Wire[] = []
    try {
      withoutDatabase(shop)
      onEveryHost(shop, hosts)
      await deployed(shop)
      for (const host of hosts) wires.push(await openWire(lab, host, roundTripMs))
      reachAll(shop, hosts, wires)
      const program = stagecraft(['deploy', '--env', 'prod'], shop.directory)
      await runOnce(program)
      const times: number[] = []
      let trips = Number.POSITIVE_INFINITY
      const before = connections(wires)
      for (let run = 0; run < runs; run++) {
        const marks = wires.map(({ proxy }) => proxy.mark())
        times.push((await runOnce(program)).ms)
        trips = Math.min(trips, Math.max(...wires.map((wire, index) => wire.roundTripsSince(marks[index] ?? wire.proxy.mark()))))
      }
      const opened = (connections(wires) - before) / runs
      const what = `\`stagecraft deploy\`, three services on each of ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`
      rows.push({ what, times: timesOf(times), more: [`${roundTripMs} ms`, String(opened), String(trips)] })
    } finally {
      for (const { proxy } of wires) await proxy.close()
      shop.removeFrom(hosts)
    }
  }
  return rows
}

function connections(wires: readonly Wire[]): number {
  return wires.reduce((sum, { proxy }) => sum + proxy.stats().connections, 0)
}

function reachAll(shop: Shop, hosts: readonly LabHost[], wires: readonly Wire[]): void {
  for (const [index, { address, port }] of hosts.entries()) {
    const wire = wires[index]
    if (!wire) continue
    shop.edit('stagecraft.known_hosts', (text) => text + wire.knownHost)
    shop.edit('stagecraft.yml', (text) =>
      text.replace(`address: "${address}", port: ${port},`, `address: "127.0.0.1", port: ${wire.port},`),
    )
  }
}
