/**
 * Runs the tests with uvu and guards its known gaps: a file without `test.run()` passes silently, a pattern that matches
 * nothing passes, nothing times out, and totals are not in the form CI reads. Usage: run-tests.js [--unit | --e2e] [--long] [substring…]
 *
 * Everything outside `e2e/` shares one process; each end-to-end file has its own, so a hang is contained and named. Files that use hosts of the lab
 * mostly wait: two run at a time, each on hosts of its own, and all others beside them. What a file prints comes whole, when it has ended.
 * Files in `e2e/long/`, which take ten minutes and more each, run with `--long`, or when they are named.
 *
 * What failed beside others is run once more alone, when that is few. What passes then is named at the end as unsteady, with what it said: a race to be found, in the
 * test or in what it tests, and no reason to think that the change at hand is wrong. `--once` fails at the first failure.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { labObstacle, openLab } from '../lab/lab.ts'

const testDirectory = join(dirname(fileURLToPath(import.meta.url)), '..')
const uvu = fileURLToPath(import.meta.resolve('uvu')).replace(/dist[/\\]index\.mjs$/, 'bin.js')
const unitLimitMs = 15 * 60_000
const endToEndLimitMs = 10 * 60_000
const longLimitMs = 60 * 60_000
/** More failures than this are no accident. */
const mostRunAgain = 3

interface Totals {
  /** What was run. */
  ran: readonly string[]
  limitMs: number
  env: Readonly<Record<string, string>>
  isKilled: boolean
  files: number
  total: number
  passed: number
  skipped: number
  failed: boolean
  /** What failed, as uvu told it. */
  told: string
}

/** From the first failure of a file's output to its totals. */
function failuresIn(plain: string): string {
  const start = plain.search(/^ *FAIL /m)
  return start < 0 ? plain.slice(-2000) : plain.slice(start, start + 4000).replace(/\n\s*Total: [\s\S]*$/, '')
}

function testFiles(): string[] {
  const names = readdirSync(testDirectory, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => name.endsWith('.test.js')).sort()
}

function run(files: readonly string[], limitMs: number, env: Readonly<Record<string, string>> = {}): Promise<Totals> {
  return new Promise((resolve) => {
    const pattern = `^(${files.map((file) => file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})$`
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', uvu, ...(process.stdout.isTTY ? [] : ['--no-color']), testDirectory, pattern],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } },
    )
    let text = ''
    let isKilled = false
    const timer = setTimeout(() => {
      isKilled = true
      child.kill('SIGKILL')
    }, limitMs)
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      process.stdout.write(text)
      if (isKilled) process.stdout.write(`\n  ${files.length === 1 ? files[0] : 'tests'} did not end within ${limitMs / 1000} s: killed\n`)
      const plain = stripVTControlCharacters(text)
      const number = (label: string) => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(plain)?.[1] ?? Number.NaN)
      const started = plain.split('\n').filter((line) => /\(\d+ \/ \d+\)\s*$/.test(line)).length
      const isWhole = !Number.isNaN(number('Total'))
      const counts = isWhole
        ? { total: number('Total'), passed: number('Passed'), skipped: number('Skipped') }
        : { total: 1, passed: 0, skipped: 0 }
      const failed = !isWhole || code !== 0
      resolve({
        ran: files,
        limitMs,
        env,
        isKilled,
        files: started,
        ...counts,
        failed,
        told: failed ? `${files.length === 1 ? files[0] : 'unit'}\n${failuresIn(plain)}` : '',
      })
    })
  })
}

/** Takes one after the other from a queue that others may be taking from too. */
async function inTurn<T>(queue: T[], one: (item: T) => Promise<Totals>): Promise<Totals[]> {
  const results: Totals[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) results.push(await one(item))
  return results
}

const args = process.argv.slice(2)
const wanted = args.filter((arg) => !arg.startsWith('--'))
const isLong = (file: string) => file.startsWith(join('e2e', 'long'))
const isWanted = (file: string) =>
  wanted.length === 0 ? !isLong(file) || args.includes('--long') : wanted.some((part) => file.includes(part))
const found = testFiles().filter(isWanted)
const isEndToEnd = (file: string) => relative(testDirectory, join(testDirectory, file)).startsWith('e2e')
const unit = args.includes('--e2e') ? [] : found.filter((file) => !isEndToEnd(file))
const endToEnd = args.includes('--unit') ? [] : found.filter(isEndToEnd)
const problems: string[] = []
const textOf = (file: string) => readFileSync(join(testDirectory, file), 'utf8')
for (const file of [...unit, ...endToEnd]) {
  if (!/\b\w+\.run\(\)/.test(textOf(file))) problems.push(`${file} never calls test.run()`)
}
if (unit.length + endToEnd.length === 0) problems.push('no test file found')

// First of all, since it installs what unit tests use too where it is there (a database server).
if (endToEnd.length > 0) {
  const obstacle = await labObstacle()
  if (obstacle === undefined) await openLab({ report: (line) => void process.stdout.write(`  lab: ${line}\n`) })
  else process.stdout.write(`  no lab, so tests on real hosts are skipped: ${obstacle}\n`)
}

const isOnHosts = (file: string) => /\/(lab|edge)-suite\.js/.test(textOf(file))
const onHosts = endToEnd.filter(isOnHosts)
const firstHost = Number(process.env['STAGECRAFT_LAB_FIRST_HOST'] ?? 1)
const hostsOfLane = 3
const lanes = [
  ...[0, 1, 2]
    .map((lane) => firstHost + lane * hostsOfLane)
    .map((first) =>
      inTurn(onHosts, (file) => run([file], isLong(file) ? longLimitMs : endToEndLimitMs, { STAGECRAFT_LAB_FIRST_HOST: String(first) })),
    ),
  inTurn([...(unit.length > 0 ? [unit] : []), ...endToEnd.filter((file) => !isOnHosts(file)).map((file) => [file])], (files) =>
    run(files, files === unit ? unitLimitMs : endToEndLimitMs),
  ),
]
const results = (await Promise.all(lanes)).flat()
const unsteady: string[] = []
const toRunAgain = results.filter((result) => result.failed && !result.isKilled)
if (!args.includes('--once') && results.length > 1 && toRunAgain.length <= mostRunAgain) {
  for (const first of toRunAgain) {
    const again = await run(first.ran, first.limitMs, first.env)
    if (again.failed) continue
    unsteady.push(first.told)
    results[results.indexOf(first)] = again
  }
}

const sum = (pick: (totals: Totals) => number) => results.reduce((total, result) => total + pick(result), 0)
const [total, passed, skipped] = [sum((r) => r.total), sum((r) => r.passed), sum((r) => r.skipped)]
if (sum((r) => r.files) !== unit.length + endToEnd.length)
  problems.push(`${unit.length + endToEnd.length} files found, ${sum((r) => r.files)} run`)
// Once more at the end, where a long log is cut last.
for (const { told } of results) if (told !== '') process.stdout.write(`\nfailed in ${told}\n`)
for (const told of unsteady) process.stdout.write(`\nunsteady, failed beside others and passed alone: ${told}\n`)
for (const problem of problems) process.stdout.write(`  ${problem}\n`)
const failed = Math.max(total - passed - skipped, results.filter((result) => result.failed).length) + problems.length
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}${unsteady.length > 0 ? `, ${unsteady.length} unsteady` : ''}\n`,
)
process.exitCode = failed > 0 ? 1 : 0
