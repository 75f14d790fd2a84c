/**
 * `npm run bench [-- --runs N]`: what starting costs and what doing nothing costs, beside what else is on this machine. Needs what
 * the lab needs. Writes docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Lab, type LabHost, openLab } from '../lab/lab.ts'
import { Shop } from '../support/shop.ts'
import { withoutDatabase, withServices } from '../support/shop-variants.ts'
import { type Bench, deployed, reach } from './bench.ts'
import { changes } from './changes.ts'
import { busyMs, measure, type Program } from './measure.ts'
import { measureOnWire, onWires } from './on-wire.ts'
import { openPeer } from './peers.ts'
import { machineLine, type Row, renderSections, type Section, writeBetweenMarkers } from './report.ts'
import { tenHosts } from './ten-hosts.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const bundle = join(root, 'bin', 'stagecraft.js')
const { values } = parseArgs({ options: { runs: { type: 'string', default: '10' } } })
const runs = Number(values.runs)
const scratch = mkdtempSync(join(tmpdir(), 'bench-'))
const say = (line: string) => void process.stderr.write(`${line}\n`)

const heading = [machineLine(), `\`npm run bench -- --runs ${runs}\`, ${new Date().toISOString().slice(0, 10)}`]
const lab = await openLab({ hosts: 10, report: say })
const [host] = lab.hosts
if (!host) throw new Error('the lab has no host')
const bench: Bench = { lab, scratch, runs, say, stagecraft: (words, cwd) => node([bundle, ...words], cwd) }
try {
  const sections = [await starting(), await planning(lab), await doingNothing(lab, host), await changes(bench, host)]
  writeBetweenMarkers(join(root, 'docs', 'benchmarks.md'), renderSections(heading, sections))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Nothing of this machine's but its programs: certificates that Node would read at start-up are not the tool's doing. */
function node(args: readonly string[], cwd = scratch): Program {
  return {
    file: process.execPath,
    args,
    cwd,
    env: { PATH: process.env['PATH'], HOME: scratch, DOCKER_CONFIG: lab.registry.dockerConfigDir, NO_COLOR: '1' },
  }
}

async function starting(): Promise<Section> {
  say('starting')
  const programs = {
    'bare `node -e 0`': ['-e', '0'],
    '`stagecraft --version`': [bundle, '--version'],
    '`stagecraft --help`': [bundle, '--help'],
  }
  const rows: Row[] = []
  for (const [what, args] of Object.entries(programs)) rows.push(await startRow(what, node(args)))
  return { title: 'Starting', columns: ['processor'], rows }
}

async function startRow(what: string, program: Program): Promise<Row> {
  const times = await measure(program, runs)
  return { what, times, more: [`${Math.round(await busyMs(program, runs))} ms`] }
}

async function planning(lab: Lab): Promise<Section> {
  say('planning 50 tasks')
  const shop = new Shop(lab)
  try {
    withServices(shop, 15)
    const plan = [bundle, 'plan', '--env', 'prod']
    const rows = [
      await startRow('`plan --offline`', node([...plan, '--offline'], shop.directory)),
      await startRow('`plan`, asking the host and the registry', node(plan, shop.directory)),
    ]
    return { title: 'Planning 50 tasks', columns: ['processor'], rows, note: 'Never deployed: 15 services to build, push and roll.' }
  } finally {
    shop.remove()
  }
}

async function doingNothing(lab: Lab, host: LabHost): Promise<Section> {
  const rows: Row[] = []
  for (const variant of ['without a database', 'database in a container of the host'] as const) {
    say(`doing nothing: ${variant}`)
    const shop = new Shop(lab)
    try {
      if (variant === 'without a database') withoutDatabase(shop)
      await deployed(shop)
      const deploy = node([bundle, 'deploy', '--env', 'prod'], shop.directory)
      rows.push(
        ...(await onWires(lab, host, async (wire, roundTripMs) => {
          reach(shop, wire)
          return [await measureOnWire(`\`stagecraft deploy\`, ${variant}`, deploy, wire, roundTripMs, runs)]
        })),
      )
      if (variant === 'without a database') rows.push(...(await peers(lab, host, shop)))
    } finally {
      shop.remove()
    }
  }
  rows.push(...(await tenHosts(bench)))
  const columns = ['round trip', 'connections', 'round trips']
  return { title: 'Doing nothing', columns, rows }
}

async function peers(lab: Lab, host: LabHost, shop: Shop): Promise<readonly Row[]> {
  say('the same containers by Compose over SSH')
  const peer = openPeer(lab, shop, scratch)
  try {
    return await onWires(lab, host, async (wire, roundTripMs) => {
      const rows: Row[] = []
      for (const [what, program] of Object.entries(peer.programs(wire)))
        rows.push(await measureOnWire(what, program, wire, roundTripMs, runs))
      return rows
    })
  } finally {
    peer.remove()
  }
}
