/** The page's data, prepared for looking things up: neighbours, places, shapes. Made once, when the page opens. */
import type { PageData, PageTask } from '../page-data.ts'
import { type Area, around, overlaps } from './viewport.ts'

export interface GraphIndex {
  readonly data: PageData
  /** Of each task: what it waits for, and what waits for it. */
  readonly dependencies: readonly (readonly Neighbour[])[]
  readonly dependents: readonly (readonly Neighbour[])[]
  readonly boxes: readonly Area[]
  readonly edges: readonly DrawnEdge[]
  readonly indexOf: ReadonlyMap<string, number>
  readonly criticalTasks: ReadonlySet<number>
}

export interface Neighbour {
  readonly task: number
  readonly orderOnly: boolean
}

export interface DrawnEdge {
  readonly from: number
  readonly to: number
  readonly orderOnly: boolean
  readonly isCritical: boolean
  /** SVG path data of its line, and of its head. */
  readonly line: string
  readonly head: string
  readonly area: Area
}

export const boxHeight = 44

export function indexGraph(data: PageData): GraphIndex {
  const dependencies: Neighbour[][] = data.tasks.map(() => [])
  const dependents: Neighbour[][] = data.tasks.map(() => [])
  const boxes = data.tasks.map(boxOf)
  const steps = new Set(data.critical.tasks.slice(1).map((task, index) => `${data.critical.tasks[index]} ${task}`))
  const edges = data.edges.map(([from, to, orderOnly, ...points]): DrawnEdge => {
    dependencies[to]?.push({ task: from, orderOnly: orderOnly === 1 })
    dependents[from]?.push({ task: to, orderOnly: orderOnly === 1 })
    return { from, to, orderOnly: orderOnly === 1, isCritical: steps.has(`${from} ${to}`), ...shapeOf(boxes[from], boxes[to], points) }
  })
  return {
    data,
    dependencies,
    dependents,
    boxes,
    edges,
    indexOf: new Map(data.tasks.map(({ id }, index) => [id, index])),
    criticalTasks: new Set(data.critical.tasks),
  }
}

function boxOf({ box: [x, y, width] }: PageTask): Area {
  return { left: x, top: y - boxHeight / 2, right: x + width, bottom: y + boxHeight / 2 }
}

const nowhere: Area = { left: 0, top: 0, right: 0, bottom: 0 }
const headLength = 7

/** Level at every point and bent between them, so that lines leave and meet boxes straight. */
function shapeOf(from = nowhere, to = nowhere, between: readonly number[] = []): Pick<DrawnEdge, 'line' | 'head' | 'area'> {
  const start = [from.right, (from.top + from.bottom) / 2] as const
  const end = [to.left - headLength, (to.top + to.bottom) / 2] as const
  const points: (readonly [number, number])[] = [start]
  for (let index = 0; index + 1 < between.length; index += 2) points.push([between[index] ?? 0, between[index + 1] ?? 0])
  points.push(end)
  let line = `M${start[0]} ${start[1]}`
  for (const [index, [x, y]] of points.entries()) {
    const [beforeX, beforeY] = points[index - 1] ?? [x, y]
    if (index === 0) continue
    const middle = Math.round((beforeX + x) / 2)
    line += y === beforeY ? `H${x}` : `C${middle} ${beforeY} ${middle} ${y} ${x} ${y}`
  }
  const area = around(points.map(([x, y]) => ({ left: x, right: x, top: y, bottom: y }))) ?? nowhere
  return { line, head: `M${end[0] + headLength} ${end[1]}l-${headLength + 1} -4v8z`, area: { ...area, right: area.right + headLength } }
}

/** The task drawn at a point, if any: of the tasks shown. */
export function taskAt(index: GraphIndex, x: number, y: number, isShown: (task: number) => boolean): number | undefined {
  const point: Area = { left: x, right: x, top: y, bottom: y }
  const found = index.boxes.findIndex((area, task) => overlaps(area, point) && isShown(task))
  return found === -1 ? undefined : found
}

/** The task to go to from another with an arrow key: along an edge, or up and down within what stands above and below. */
export function neighbourOf(
  { boxes, dependencies, dependents }: GraphIndex,
  task: number,
  direction: 'left' | 'right' | 'up' | 'down',
  isShown: (task: number) => boolean,
): number | undefined {
  const own = boxes[task] ?? nowhere
  const height = (other: number) => Math.abs((boxes[other]?.top ?? 0) - own.top)
  if (direction === 'left' || direction === 'right') {
    const along = (direction === 'left' ? dependencies : dependents)[task] ?? []
    const shown = along.map((neighbour) => neighbour.task).filter(isShown)
    return shown.sort((a, b) => height(a) - height(b) || a - b)[0]
  }
  const sign = direction === 'up' ? -1 : 1
  let nearest: number | undefined
  for (const [other, area] of boxes.entries()) {
    const isBeyond = (area.top - own.top) * sign > 0
    if (!isBeyond || !isShown(other) || area.left >= own.right || area.right <= own.left) continue
    if (nearest === undefined || height(other) < height(nearest)) nearest = other
  }
  return nearest
}
