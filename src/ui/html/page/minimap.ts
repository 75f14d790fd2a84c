/** The whole drawing in a corner, with what is seen of it framed: shown while not all is seen. */
import { drawn, setAttributes } from './dom.ts'
import { boxHeight, type GraphIndex } from './graph-index.ts'
import type { PageStore, PageView } from './page-state.ts'
import { centerOn, contains, type Size, seen } from './viewport.ts'

const largest = { width: 200, height: 130 }
/** Of the drawing, around its boxes: nothing is missed there. */
const margin = 48

export interface Minimap {
  readonly svg: SVGSVGElement
  show(view: PageView, screen: Size, isShown: (task: number) => boolean): void
}

export function createMinimap({ data, boxes }: GraphIndex, store: PageStore, screen: () => Size): Minimap {
  const [width, height] = data.size
  const scale = Math.min(largest.width / Math.max(1, width), largest.height / Math.max(1, height))
  const shape = drawn('path', { class: 'map-boxes' })
  const frame = drawn('rect', { class: 'map-frame' })
  // A box of a large drawing would be thinner than anything that can be seen.
  const least = 1.5 / scale
  const svg = drawn(
    'svg',
    {
      class: 'map',
      'aria-hidden': 'true',
      viewBox: `0 0 ${width} ${height}`,
      width: Math.max(24, Math.round(width * scale)),
      height: Math.max(24, Math.round(height * scale)),
      preserveAspectRatio: 'none',
    },
    shape,
    frame,
  )
  let choice: PageView['choice'] | undefined
  const go = (event: PointerEvent): void => {
    const area = svg.getBoundingClientRect()
    const x = ((event.clientX - area.left) / area.width) * width
    const y = ((event.clientY - area.top) / area.height) * height
    store.change({ view: centerOn(store.current.view, x, y, screen(), 0) })
  }
  svg.addEventListener('pointerdown', (event) => {
    svg.setPointerCapture(event.pointerId)
    go(event)
  })
  svg.addEventListener('pointermove', (event) => {
    if (svg.hasPointerCapture(event.pointerId)) go(event)
  })
  return {
    svg,
    show(view, size, isShown) {
      const area = seen(view.view, size)
      svg.toggleAttribute('hidden', contains(area, { left: margin, top: margin, right: width - margin, bottom: height - margin }))
      setAttributes(frame, { x: area.left, y: area.top, width: area.right - area.left, height: area.bottom - area.top })
      if (view.choice === choice) return
      choice = view.choice
      const shapes = boxes.map(({ left, top, right }, task) => {
        const [boxWidth, boxTall] = [Math.max(least, right - left), Math.max(least, boxHeight)]
        return isShown(task) ? `M${left} ${top}h${boxWidth}v${boxTall}h-${boxWidth}z` : ''
      })
      shape.setAttribute('d', shapes.join(''))
    },
  }
}
