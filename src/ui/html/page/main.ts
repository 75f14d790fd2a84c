/** The page of a task graph: reads its data, builds itself, and shows what is asked for. */
import type { PageData } from '../page-data.ts'
import { element, setAttributes } from './dom.ts'
import { createDrawing } from './drawing.ts'
import { everything } from './filters.ts'
import { listenToGestures, listenToKeys, type Moves } from './gestures.ts'
import { indexGraph } from './graph-index.ts'
import { createMinimap } from './minimap.ts'
import { createStore, type PageView } from './page-state.ts'
import { addressOf, overviewPanel, taskPanel } from './panel.ts'
import { createToolbar } from './toolbar.ts'
import { around, centerOn, contains, fit, type Size, seen, zoomAt } from './viewport.ts'
import { stateWords, tasksText } from './words.ts'

const index = indexGraph(JSON.parse(document.getElementById('graph')?.textContent ?? '') as PageData)
const { data } = index
const store = createStore(index, show)
const drawing = createDrawing(index)
const stage = element('main', {})
const panel = element('aside', { 'aria-label': 'details', tabindex: -1 })
const status = element('p', { class: 'status' })
const spoken = element('p', { class: 'spoken', 'aria-live': 'polite' })
const tip = element('div', { class: 'tip', hidden: true })

const moves: Moves = {
  select(task) {
    // Through the address, so that the browser's way back leads to the task before.
    location.hash = task === undefined ? '' : addressOf(data.tasks[task]?.id ?? '')
    if (task === undefined) store.change({ selected: undefined })
  },
  reveal(task) {
    const box = index.boxes[task]
    if (!box) return
    const { view } = store.current
    if (view.scale > 0.5 && contains(seen(view, screenSize(), -0.05), box)) return
    store.change({ view: centerOn(view, (box.left + box.right) / 2, (box.top + box.bottom) / 2, screenSize()) })
  },
  fit() {
    const shown = index.boxes.filter((_, task) => store.isShown(task))
    store.change({ view: fit(around(shown) ?? { left: 0, top: 0, right: data.size[0], bottom: data.size[1] }, screenSize()) })
  },
  zoom(factor) {
    const { width, height } = screenSize()
    store.change({ view: zoomAt(store.current.view, factor, width / 2, height / 2) })
  },
  hover(task, x, y) {
    const about = task === undefined ? undefined : data.tasks[task]
    drawing.svg.classList.toggle('over', about !== undefined)
    tip.hidden = about === undefined
    if (!about) return
    tip.textContent =
      about.state === null ? about.id : `${about.id} · ${stateWords[about.state]}${about.reason === '' ? '' : `: ${about.reason}`}`
    const room = screenSize().width - 16
    tip.style.left = `${Math.max(8, Math.min(x + 14, room - tip.offsetWidth))}px`
    tip.style.top = `${y + 18}px`
  },
}

const togglePath = (): void => store.change({ isCritical: !store.current.isCritical })
const toolbar = createToolbar(index, store, { go, fit: moves.fit, zoom: moves.zoom, togglePath })
const minimap = createMinimap(index, store, screenSize)

/** To a task that was looked for: into sight, and no filter may hide it. */
function go(task: number): void {
  if (!store.isShown(task)) store.change({ choice: everything })
  moves.select(task)
  moves.reveal(task)
  drawing.svg.focus()
}

function screenSize(): Size {
  return { width: stage.clientWidth, height: stage.clientHeight }
}

let shown: PageView | undefined

function show(view: PageView): void {
  const size = screenSize()
  const isShown = (task: number) => store.isShown(task)
  drawing.draw(view, size, isShown)
  minimap.show(view, size, isShown)
  toolbar.show(view)
  if (view.selected !== shown?.selected || shown === undefined) showPanel(view.selected)
  if (view.choice !== shown?.choice) showStatus()
  shown = view
}

function showPanel(selected: number | undefined): void {
  const about = selected === undefined ? undefined : data.tasks[selected]
  document.body.classList.toggle('has-task', about !== undefined)
  panel.replaceChildren(...(selected === undefined ? overviewPanel(index) : taskPanel(index, selected)))
  panel.scrollTop = 0
  const state = about?.state ? `, ${stateWords[about.state]}: ${about.reason}` : ''
  spoken.textContent = about ? `${about.id}${state}` : ''
  setAttributes(drawing.svg, { 'aria-activedescendant': selected === undefined ? undefined : `task-${selected}` })
}

function showStatus(): void {
  const count = data.tasks.filter((_, task) => store.isShown(task)).length
  status.textContent = count === data.tasks.length ? tasksText(count) : `${count} of ${tasksText(data.tasks.length)}`
  drawing.svg.setAttribute('aria-label', `task graph, ${status.textContent}; arrow keys go from task to task`)
}

function followAddress(): void {
  let id = ''
  try {
    id = decodeURIComponent(location.hash.slice(1))
  } catch {
    // An address somebody made up names no task.
  }
  const selected = index.indexOf.get(id)
  store.change({ selected })
  if (selected !== undefined) moves.reveal(selected)
}

stage.append(drawing.svg, tip, status, minimap.svg)
document.body.append(toolbar.bar, toolbar.filters, element('div', { class: 'work' }, stage, panel), spoken)
listenToGestures(drawing.svg, index, store, moves)
listenToKeys({
  '/': () => toolbar.searchBox.focus(),
  '+': () => moves.zoom(1.4),
  '=': () => moves.zoom(1.4),
  '-': () => moves.zoom(1 / 1.4),
  0: moves.fit,
  c: togglePath,
  Escape: () => moves.select(undefined),
})
window.addEventListener('hashchange', followAddress)
let isFitted = true
new ResizeObserver(() => {
  // Until somebody has moved, all stays in sight.
  if (isFitted) moves.fit()
  else store.change({})
}).observe(stage)
for (const type of ['pointerdown', 'wheel', 'keydown'] as const) stage.addEventListener(type, () => (isFitted = false), { passive: true })
toolbar.filters.hidden = true
moves.fit()
followAddress()
