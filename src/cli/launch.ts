/**
 * What `bin/stagecraft.js` is: a run that has nothing to do is answered here, from its certificate, in a few milliseconds more than Node takes to
 * start. Everything else is left to the program proper. Bundled as CommonJS, since Node's loader of modules alone takes as long as the answer.
 */
import { join } from 'node:path'
import { lookAround, tasksUpToDate } from '../state/certificate.ts'
import { handOver } from '../state/hand-over.ts'
import { nothingToDo } from '../ui/nothing-to-do.ts'
import { buildId } from './build-id.ts'
import { loadProgram } from './loading/load-program.ts'
import { plainRunTargets } from './plain-run.ts'

const words = process.argv.slice(2)
const targets = plainRunTargets(words, process.env)
const look = targets && lookAround(targets, { build: buildId(), directory: process.cwd(), env: process.env })
const upToDate = tasksUpToDate(look)
if (upToDate === undefined) {
  if (look) handOver(look)
  compileLess()
  void loadProgram({ file: join(import.meta.dirname, 'main.js'), words, env: process.env })
} else {
  // Whoever closed the pipe does not want to know.
  process.stdout.on('error', () => {})
  process.stdout.write(`${nothingToDo(upToDate)}\n`)
}

/**
 * A run is over before code that was optimized for it has paid: V8 spends more than it saves, and on another thread takes the processor away from the
 * commands. So that begins fifteen times later here (measured: a third less of a run's own time). The engine of Node 20 only: later ones have no such flag,
 * complain of it, and need it less.
 */
function compileLess(): void {
  if (!process.versions.node.startsWith('20.')) return
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--interrupt-budget=1000000')
  // The space of new objects is at its full size after one collection instead of five.
  setFlagsFromString('--semi-space-growth-factor=16')
}
