// Compares line coverage with what each folder owes: reads what c8 wrote to coverage/, adds the files no test ever loaded (c8 has not heard
// of them), and exits 1 naming the files to look at when a folder is short. Only what runs from dist/ counts (.c8rc.json): mapped back from the
// bundle, nearly every line would seem to have run.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = ['graph', 'cache', 'tasks', 'src']
/** Least share of lines run by tests, in percent; `''` is everything. */
const wanted = { graph: 90, cache: 90, tasks: 90, 'src/config': 90, 'src/pipelines': 90, '': 80 }

const summary = JSON.parse(readFileSync(join(root, 'coverage/coverage-summary.json'), 'utf8'))
delete summary.total
const loaded = Object.entries(summary).map(([path, { lines }]) => ({ path: shown(path), total: lines.total, covered: lines.covered }))
const known = new Set(loaded.map(({ path }) => path))
const files = [...loaded, ...folders.flatMap(neverLoaded)]

let short = false
for (const [folder, least] of Object.entries(wanted)) {
  const own = files.filter(({ path }) => folder === '' || path.startsWith(`${folder}/`))
  const [total, covered] = [sum(own, 'total'), sum(own, 'covered')]
  const percent = total === 0 ? 0 : (covered / total) * 100
  const verdict = percent >= least ? 'ok   ' : 'SHORT'
  const name = (folder === '' ? 'all' : folder).padEnd(14)
  process.stdout.write(`${verdict} ${name} ${percent.toFixed(1).padStart(5)} % of ${total} lines, ${least} wanted\n`)
  if (percent >= least) continue
  short = true
  const worst = own.filter((file) => file.covered < file.total).sort((a, b) => b.total - b.covered - (a.total - a.covered))
  for (const file of worst.slice(0, 8))
    process.stdout.write(`        ${file.path}: ${file.total - file.covered} of ${file.total} lines never run\n`)
}
process.exitCode = short ? 1 : 0

/** Sources that no test loaded, and that would do something if one did: a file of types compiles to `export {}`. */
function neverLoaded(folder) {
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const missing = names.map((name) => shown(join(root, folder, name))).filter((path) => !known.has(path))
  return missing.filter(hasCode).map((path) => ({ path, total: readFileSync(join(root, path), 'utf8').split('\n').length - 1, covered: 0 }))
}

function hasCode(path) {
  const compiled = join(root, 'dist', path.replace(/\.ts$/, '.js'))
  // What runs in a browser is not compiled to dist/; a browser tries it (test/e2e/graph-html.test.ts).
  if (!existsSync(compiled)) return !path.startsWith('src/ui/html/page/')
  const text = readFileSync(compiled, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '')
  return text.replace(/export \{\};?/, '').trim() !== ''
}

function shown(path) {
  return relative(root, path).split(sep).join('/')
}

function sum(items, key) {
  return items.reduce((total, item) => total + item[key], 0)
}
