/** Moving about with pointer, wheel, fingers and keys. */
import { type GraphIndex, neighbourOf, taskAt } from './graph-index.ts'
import type { PageStore } from './page-state.ts'
import { panBy, toDrawing, zoomAt } from './viewport.ts'

export interface Moves {
  select(task: number | undefined): void
  /** Brings a task into sight. */
  reveal(task: number): void
  fit(): void
  zoom(factor: number): void
  /** The task under the pointer, and where that is; undefined when there is none. */
  hover(task: number | undefined, x: number, y: number): void
}

/** Pixels a pointer may move and still be a click. */
const clickSlack = 4
/** Pixels per press of an arrow key. */
const step = 80

export function listenToGestures(surface: SVGSVGElement, index: GraphIndex, store: PageStore, moves: Moves): void {
  const isShown = (task: number) => store.isShown(task)
  const at = (event: MouseEvent) => {
    const { left, top } = surface.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top }
  }
  const taskUnder = (event: MouseEvent): number | undefined => {
    const { x, y } = at(event)
    const point = toDrawing(store.current.view, x, y)
    return taskAt(index, point.x, point.y, isShown)
  }
  const fingers = new Map<number, { x: number; y: number }>()
  let moved = 0

  surface.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return
    surface.setPointerCapture(event.pointerId)
    if (fingers.size === 0) moved = 0
    fingers.set(event.pointerId, at(event))
  })
  surface.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId)
    if (!before) {
      const { x, y } = at(event)
      return moves.hover(taskUnder(event), x, y)
    }
    const now = at(event)
    const other = [...fingers].find(([pointer]) => pointer !== event.pointerId)?.[1]
    fingers.set(event.pointerId, now)
    moved += Math.hypot(now.x - before.x, now.y - before.y)
    if (moved <= clickSlack) return
    moves.hover(undefined, 0, 0)
    surface.classList.add('moving')
    if (!other) return store.change({ view: panBy(store.current.view, now.x - before.x, now.y - before.y) })
    // Two fingers: what is between them stays between them.
    const apart = (one: typeof now) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y))
    const moving = panBy(store.current.view, (now.x - before.x) / 2, (now.y - before.y) / 2)
    store.change({ view: zoomAt(moving, apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2) })
  })
  const lift = (event: PointerEvent): void => {
    const isClick = fingers.size === 1 && moved <= clickSlack && event.type === 'pointerup'
    if (fingers.delete(event.pointerId) && isClick) moves.select(taskUnder(event))
    if (fingers.size === 0) surface.classList.remove('moving')
  }
  surface.addEventListener('pointerup', lift)
  surface.addEventListener('pointercancel', lift)
  surface.addEventListener('pointerleave', () => moves.hover(undefined, 0, 0))
  surface.addEventListener('dblclick', (event) => {
    const task = taskUnder(event)
    if (task !== undefined) moves.reveal(task)
  })
  surface.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault()
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
      const [deltaX, deltaY] = [event.deltaX * unit, event.deltaY * unit]
      const { view } = store.current
      if (event.shiftKey) store.change({ view: panBy(view, -(deltaX + deltaY), 0) })
      else if (event.altKey) store.change({ view: panBy(view, -deltaX, -deltaY) })
      else if (Math.abs(deltaX) > Math.abs(deltaY)) store.change({ view: panBy(view, -deltaX, 0) })
      else {
        const { x, y } = at(event)
        // A pinch on a touchpad comes as small steps of a wheel with Ctrl.
        store.change({ view: zoomAt(view, Math.exp(-deltaY * (event.ctrlKey ? 0.01 : 0.0016)), x, y) })
      }
    },
    { passive: false },
  )

  const arrows = {
    ArrowLeft: ['left', step, 0],
    ArrowRight: ['right', -step, 0],
    ArrowUp: ['up', 0, step],
    ArrowDown: ['down', 0, -step],
  } as const
  surface.addEventListener('keydown', (event) => {
    if (!Object.hasOwn(arrows, event.key) || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const [direction, x, y] = arrows[event.key as keyof typeof arrows]
    const { selected, view } = store.current
    if (selected === undefined || event.shiftKey) return store.change({ view: panBy(view, x, y) })
    const next = neighbourOf(index, selected, direction, isShown)
    if (next === undefined) return
    moves.select(next)
    moves.reveal(next)
  })
}

/** Keys that work wherever the focus is, unless something is being typed. */
export function listenToKeys(actions: Readonly<Record<string, () => void>>): void {
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return
    const action = Object.hasOwn(actions, event.key) ? actions[event.key] : undefined
    if (!action) return
    event.preventDefault()
    action()
  })
}
