/** The graphs that runners are compared on: every task reads five files of 4 KiB and writes one. Nothing here is random. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const shapes = ['wide', 'chain', 'layered'] as const
export type Shape = (typeof shapes)[number]

export interface WorkTask {
  /** `t0`, `t1`, …; a folder of this name below `t/` holds its files. */
  readonly name: string
  readonly needs: readonly string[]
}

export interface Workload {
  readonly shape: Shape
  readonly tasks: readonly WorkTask[]
  /** A task half-way through the graph. */
  readonly middle: WorkTask
  /** How many tasks depend on the middle one, directly or not, itself included. */
  readonly coneSize: number
}

/** Of every task, relative to its folder. */
export const inputs = ['a', 'b', 'c', 'd', 'e'] as const
export const output = 'out'
const inputBytes = 4096
const layers = 20
const needsEach = 3

/** `wide`: nothing depends on anything. `chain`: each on the one before. `layered`: twenty layers, each task on three of the layer before. */
export function workload(shape: Shape, count: number): Workload {
  const tasks = Array.from(
    { length: count },
    (_, index): WorkTask => ({ name: `t${index}`, needs: needsOf(shape, index, count).map((need) => `t${need}`) }),
  )
  const middle = tasks[Math.floor(count / 2)] ?? { name: 't0', needs: [] }
  return { shape, tasks, middle, coneSize: coneOf(tasks, middle.name) }
}

function needsOf(shape: Shape, index: number, count: number): readonly number[] {
  if (shape === 'wide') return []
  if (shape === 'chain') return index === 0 ? [] : [index - 1]
  const width = Math.max(1, Math.floor(count / layers))
  const layer = Math.min(Math.floor(index / width), layers - 1)
  if (layer === 0) return []
  const place = index - layer * width
  const wanted = Array.from({ length: needsEach }, (_, step) => (layer - 1) * width + ((place * needsEach + step) % width))
  return [...new Set(wanted)]
}

function coneOf(tasks: readonly WorkTask[], from: string): number {
  const cone = new Set([from])
  // Tasks are listed after what they need.
  for (const { name, needs } of tasks) if (needs.some((need) => cone.has(need))) cone.add(name)
  return cone.size
}

/** Writes every input. Two tasks never have equal ones, so that none is restored in the place of another. */
export function writeInputs(directory: string, { tasks }: Workload): void {
  for (const { name } of tasks) {
    const folder = join(directory, 't', name)
    mkdirSync(folder, { recursive: true })
    for (const file of inputs) writeFileSync(join(folder, file), `${name} ${file} `.repeat(inputBytes).slice(0, inputBytes))
  }
}

/** Has the system hold every input in memory. */
export function readInputs(directory: string, { tasks }: Workload): void {
  for (const { name } of tasks) for (const file of inputs) readFileSync(join(directory, 't', name, file))
}

/** One input of a task, other than it ever was. */
export function edit(directory: string, task: WorkTask, revision: number): void {
  writeFileSync(join(directory, 't', task.name, 'a'), `${task.name} edited ${revision} `.repeat(inputBytes).slice(0, inputBytes))
}

export function removeOutputs(directory: string, { tasks }: Workload): void {
  for (const { name } of tasks) rmSync(join(directory, 't', name, output), { force: true })
}
