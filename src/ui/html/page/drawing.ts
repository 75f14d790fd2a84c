/** The graph itself, as SVG: what is near enough to be read box by box, the rest as one shape per colour. Only what is seen is drawn. */
import { drawn, setAttributes } from './dom.ts'
import { boxHeight, type DrawnEdge, type GraphIndex } from './graph-index.ts'
import type { PageView } from './page-state.ts'
import { type Area, contains, overlaps, type Size, seen } from './viewport.ts'
import { boxText, cut, shortId, stateSigns, stateWords } from './words.ts'

/** From this scale on, labels can be read. */
const readableFrom = 0.5
/** Screens drawn beyond each side of this one, so that a small move draws nothing anew. */
const spare = 0.25
/** Lines drawn at once; a browser is slow with more, and a person sees nothing in them. */
const mostLines = 12_000

export interface Drawing {
  readonly svg: SVGSVGElement
  draw(state: PageView, screen: Size, isShown: (task: number) => boolean): void
  /** Lines that were left out for being too many, at the last `draw`. */
  readonly omitted: number
}

export function createDrawing(index: GraphIndex): Drawing {
  const lines = { needs: line('edge'), order: line('edge order'), heads: line('head') }
  const marked = { needs: line('edge marked'), order: line('edge order marked'), heads: line('head marked') }
  const boxes = drawn('g', { class: 'boxes' })
  const scene = drawn('g', {}, lines.needs, lines.order, lines.heads, marked.needs, marked.order, marked.heads, boxes)
  const svg = drawn('svg', { class: 'graph', tabindex: 0, role: 'application', 'aria-roledescription': 'task graph' }, scene)
  let last:
    | { readonly key: string; readonly area: Area; readonly choice: PageView['choice']; readonly matches: PageView['matches'] }
    | undefined
  let omitted = 0

  function draw(state: PageView, screen: Size, isShown: (task: number) => boolean): void {
    const { view } = state
    scene.setAttribute('transform', `translate(${view.x.toFixed(1)} ${view.y.toFixed(1)}) scale(${view.scale.toFixed(5)})`)
    const isReadable = view.scale >= readableFrom
    const key = [isReadable, state.selected, state.isCritical, state.hasOrderOnly].join()
    const isSame = last?.key === key && last.choice === state.choice && last.matches === state.matches
    if (isSame && last && contains(last.area, seen(view, screen))) return
    const area = seen(view, screen, spare)
    last = { key, area, choice: state.choice, matches: state.matches }
    drawEdges(state, area, isReadable, isShown)
    drawBoxes(state, area, isReadable, isShown)
    svg.classList.toggle('far', !isReadable)
  }

  function drawEdges(state: PageView, area: Area, isReadable: boolean, isShown: (task: number) => boolean): void {
    const visible = index.edges.filter((edge) => {
      if (edge.orderOnly && !state.hasOrderOnly) return false
      return overlaps(edge.area, area) && isShown(edge.from) && isShown(edge.to)
    })
    const isMarked = ({ from, to, isCritical }: DrawnEdge) =>
      state.isCritical ? isCritical : from === state.selected || to === state.selected
    const stand = visible.filter(isMarked)
    const rest = visible.filter((edge) => !isMarked(edge))
    omitted = Math.max(0, rest.length - mostLines)
    const shown = rest.slice(0, mostLines)
    for (const [paths, edges] of [
      [lines, shown],
      [marked, stand],
    ] as const) {
      paths.needs.setAttribute('d', pathOf(edges.filter(({ orderOnly }) => !orderOnly)))
      paths.order.setAttribute('d', pathOf(edges.filter(({ orderOnly }) => orderOnly)))
      paths.heads.setAttribute('d', isReadable || edges === stand ? edges.map(({ head }) => head).join('') : '')
    }
    svg.classList.toggle('pale', stand.length > 0 || state.isCritical)
    svg.classList.toggle('shows-path', state.isCritical)
  }

  function drawBoxes(state: PageView, area: Area, isReadable: boolean, isShown: (task: number) => boolean): void {
    const matches = state.query === '' ? undefined : new Set(state.matches)
    const isPale = (task: number) => {
      if (task === state.selected) return false
      if (state.isCritical) return !index.criticalTasks.has(task)
      return matches !== undefined && !matches.has(task)
    }
    const visible = index.boxes.flatMap((box, task) => (overlaps(box, area) && isShown(task) ? [task] : []))
    if (isReadable) boxes.replaceChildren(...visible.map((task) => boxOf(index, task, classesOf(index, task, state, isPale(task)))))
    else boxes.replaceChildren(...farBoxes(index, visible, isPale), ...farSelected(index, state, isShown))
  }

  return {
    svg,
    draw,
    get omitted() {
      return omitted
    },
  }
}

function line(name: string): SVGPathElement {
  return drawn('path', { class: name })
}

function pathOf(edges: readonly DrawnEdge[]): string {
  return edges.map((edge) => edge.line).join('')
}

function classesOf(index: GraphIndex, task: number, state: PageView, isPale: boolean): string {
  const { state: predicted, timing } = index.data.tasks[task] ?? { state: null, timing: null }
  const names = ['box', `state-${predicted ?? 'none'}`]
  if (isPale) names.push('faded')
  if (task === state.selected) names.push('selected')
  if (state.isCritical && index.criticalTasks.has(task)) names.push('critical')
  if (timing?.status === 'failed') names.push('failed')
  return names.join(' ')
}

const pixelsPerCharacter = { label: 7.4, text: 5.6 } as const

function boxOf({ data, boxes }: GraphIndex, task: number, classes: string): SVGGElement {
  const about = data.tasks[task]
  const { left, top, right } = boxes[task] ?? { left: 0, top: 0, right: 0 }
  const group = drawn('g', { class: classes, id: `task-${task}`, transform: `translate(${left} ${top})`, role: 'img' })
  if (!about) return group
  const width = right - left
  const room = width - 40
  setAttributes(group, { 'aria-label': `${about.id}${about.state === null ? '' : `, ${stateWords[about.state]}`}` })
  group.append(
    drawn('rect', { class: 'card', width, height: boxHeight, rx: 8 }),
    drawn('rect', { class: 'bar', x: 0.5, y: 6, width: 4, height: boxHeight - 12, rx: 2 }),
    drawn('text', { class: 'sign', x: 18, y: boxHeight / 2 + 4.5 }, stateSigns[about.state ?? 'none']),
    drawn('text', { class: 'label', x: 31, y: 19 }, cut(shortId(about), room, pixelsPerCharacter.label)),
    drawn('text', { class: 'text', x: 31, y: 34 }, cut(boxText(about), room, pixelsPerCharacter.text)),
  )
  return group
}

/** All boxes of one colour as one shape. */
function farBoxes({ data, boxes }: GraphIndex, visible: readonly number[], isPale: (task: number) => boolean): SVGPathElement[] {
  const shapes = new Map<string, string[]>()
  for (const task of visible) {
    const { left, top, right } = boxes[task] ?? { left: 0, top: 0, right: 0 }
    const name = `far-boxes state-${data.tasks[task]?.state ?? 'none'}${isPale(task) ? ' faded' : ''}`
    const shape = `M${left} ${top}H${right}v${boxHeight}H${left}z`
    const shapesOfName = shapes.get(name)
    if (shapesOfName) shapesOfName.push(shape)
    else shapes.set(name, [shape])
  }
  return [...shapes].map(([name, parts]) => drawn('path', { class: name, d: parts.join('') }))
}

function farSelected({ boxes }: GraphIndex, { selected }: PageView, isShown: (task: number) => boolean): SVGElement[] {
  const box = selected === undefined || !isShown(selected) ? undefined : boxes[selected]
  if (!box) return []
  return [drawn('rect', { class: 'far-selected', x: box.left, y: box.top, width: box.right - box.left, height: boxHeight })]
}
