/**
 * `npm run bench:engine [-- --sizes 10,100 --runners stagecraft,make --runs N]`: the same graphs run by us, by the peers of the npm
 * world, by make and ninja, and by the floor program. Writes docs/benchmarks-engine.md.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runOnce, type Times, timesOf } from '../measure.ts'
import { machineLine, type Row, renderSections, type Section, writeBetweenMarkers } from '../report.ts'
import { installPeers, lage, moon, nx, turbo, wireit } from './npm-runners.ts'
import { floor, make, ninja, stagecraft } from './own-runners.ts'
import { peakMemoryMiB } from './peak-memory.ts'
import type { Runner } from './runner.ts'
import { edit, readInputs, removeOutputs, type Shape, type Workload, workload, writeInputs } from './workload.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    sizes: { type: 'string', default: '10,100,1000,10000' },
    runners: { type: 'string', default: '' },
    'no-write': { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const sizes = values.sizes.split(',').map(Number)
const chosen = (runner: Runner) => values.runners === '' || values.runners.split(',').some((word) => runner.name.startsWith(word))
const say = (line: string) => void process.stderr.write(`${line}\n`)
// Node 20 reads these at its start, which is nobody's merit or fault.
delete process.env['NODE_EXTRA_CA_CERTS']

const all = [stagecraft(), floor(), make(), ninja(), turbo('binary'), turbo('shim'), nx(), wireit(), lage(), moon()].filter(chosen)
/** A scenario is prepared, not timed, before each of its runs. */
interface Scenario {
  readonly title: string
  readonly prepare: (directory: string, work: Workload, runner: Runner, run: number) => void
}

const scenarios: readonly Scenario[] = [
  { title: 'Nothing to do', prepare: () => {} },
  { title: 'One input in the middle', prepare: (directory, { middle }, _, run) => edit(directory, middle, run) },
  { title: 'All outputs gone, cache there', prepare: (directory, work) => removeOutputs(directory, work) },
  {
    title: 'Cold',
    prepare: (directory, work, runner) => {
      removeOutputs(directory, work)
      forget(directory, runner)
    },
  },
]

const heading = [
  machineLine(),
  `\`npm run bench:engine -- --runs ${runs} --sizes ${sizes.join(',')}\`, ${new Date().toISOString().slice(0, 10)}`,
]
installPeers(say)
const found = new Map<string, Row[]>()
await slowCommands()
for (const size of sizes) for (const runner of all) if (size <= runner.mostTasks) await measureRunner(runner, 'layered', size)
for (const shape of ['wide', 'chain'] as const)
  for (const runner of all.filter(({ mostTasks }) => mostTasks >= 10_000)) await measureRunner(runner, shape, 1000)
if (values['no-write']) process.stdout.write(renderSections(heading, sections()))

function sections(): Section[] {
  return [...found].map(([title, rows]) => ({ title, columns: ['memory'], rows }))
}

/** After each runner: a bench that is cut short has not been for nothing. */
function keepResults(): void {
  if (!values['no-write']) writeBetweenMarkers(join(root, 'docs', 'benchmarks-engine.md'), renderSections(heading, sections()))
}

/**
 * What a runner forgets goes aside and is removed with its project: right after many files were removed, ext4 takes several times as long to make
 * new ones, and whoever comes next would pay for it.
 */
function forget(directory: string, runner: Runner): void {
  const aside = asideOf(directory)
  mkdirSync(aside, { recursive: true })
  for (const path of runner.remembers(directory)) renameSync(path, join(aside, String(readdirSync(aside).length)))
}

function asideOf(directory: string): string {
  return `${directory}.forgotten`
}

/** Everything that will be read is in memory already, for everybody: what a disk takes is not the question. */
function warm(directory: string, work: Workload): void {
  readInputs(directory, work)
  for (const path of readdirSync(join(root, 'bin'), { recursive: true, withFileTypes: true }))
    if (path.isFile()) readFileSync(join(path.parentPath, path.name))
}

async function measureRunner(runner: Runner, shape: Shape, size: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const work = workload(shape, size)
    writeInputs(directory, work)
    runner.write(directory, work)
    // A manifest that was written this moment is read anew by every run of ours for two seconds, in case it is written again.
    await delay(2500)
    const program = runner.program(directory)
    const first = (await runOnce(program)).ms
    // A second run settles what the first left behind.
    await runOnce(program)
    for (const { title, prepare } of scenarios) {
      const times: number[] = []
      for (let run = 0; run < repeats(title, first); run++) {
        prepare(directory, work, runner, run)
        warm(directory, work)
        times.push((await runOnce(program)).ms)
      }
      const memory = title === 'Nothing to do' ? `${peakMemoryMiB(program)} MiB` : ''
      const cone = title.startsWith('One input') ? ` (${work.coneSize} depend on it)` : ''
      add(`${title}: ${shape}, ${size} tasks${cone}`, { what: runner.name, times: timesOf(times), more: [memory] })
      say(`${shape} ${size} ${runner.name}: ${title} ${Math.round(timesOf(times).median)} ms`)
    }
  } catch (error) {
    say(`${shape} ${size} ${runner.name}: ${String(error).slice(0, 500)}`)
    add(`Nothing to do: ${shape}, ${size} tasks`, { what: `${runner.name}: did not run here`, more: [''] })
  } finally {
    for (const folder of [directory, asideOf(directory)]) rmSync(folder, { recursive: true, force: true })
    keepResults()
  }
}

/** Slow ones are run less often: a minute each is enough. */
function repeats(title: string, firstMs: number): number {
  const wanted = title === 'Cold' ? Math.min(runs, 5) : runs
  return firstMs > 5000 ? Math.min(2, wanted) : firstMs > 1500 ? Math.min(3, wanted) : wanted
}

/** Where commands take time, all that counts is that two processors are kept busy. */
async function slowCommands(): Promise<void> {
  const work = workload('layered', 100)
  for (const runner of [stagecraft(0.1), floor(0.1), make(0.1), ninja(0.1)].filter(chosen)) {
    const directory = mkdtempSync(join(tmpdir(), 'bench-'))
    try {
      writeInputs(directory, work)
      runner.write(directory, work)
      const times: number[] = []
      for (let run = 0; run < 3; run++) {
        removeOutputs(directory, work)
        forget(directory, runner)
        warm(directory, work)
        times.push((await runOnce(runner.program(directory))).ms)
      }
      const measured: Times = timesOf(times)
      add('Cold, 100 commands of 100 ms: layered', { what: runner.name, times: measured, more: [''] })
      say(`100 ms commands, ${runner.name}: ${Math.round(measured.median)} ms`)
    } finally {
      for (const folder of [directory, asideOf(directory)]) rmSync(folder, { recursive: true, force: true })
      keepResults()
    }
  }
}

function add(title: string, row: Row): void {
  const rows = found.get(title) ?? []
  rows.push(row)
  found.set(title, rows)
}
