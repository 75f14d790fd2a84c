/** What part of the drawing is seen, as arithmetic. Drawing units times `scale` are pixels; `x` and `y` are the drawing's corner on screen. */
export interface View {
  readonly x: number
  readonly y: number
  readonly scale: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Area {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const largestScale = 3
/** Below this, a drawing is fitted no further: it would be a line. */
const smallestScale = 0.004
/** A small graph is not blown up to fill a large screen. */
const largestFit = 1.1

/** Changes the scale by a factor; what is under the point stays there. */
export function zoomAt(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(largestScale, Math.max(smallestScale, view.scale * factor))
  const real = scale / view.scale
  return { scale, x: x - (x - view.x) * real, y: y - (y - view.y) * real }
}

export function panBy(view: View, x: number, y: number): View {
  return { ...view, x: view.x + x, y: view.y + y }
}

/** The whole area in the middle of the screen. */
export function fit(area: Area, screen: Size, margin = 24): View {
  const [width, height] = [Math.max(1, area.right - area.left), Math.max(1, area.bottom - area.top)]
  const room = Math.min((screen.width - 2 * margin) / width, (screen.height - 2 * margin) / height)
  const scale = Math.min(largestFit, Math.max(smallestScale, room))
  return {
    scale,
    x: (screen.width - width * scale) / 2 - area.left * scale,
    y: (screen.height - height * scale) / 2 - area.top * scale,
  }
}

/** A point of the drawing in the middle of the screen, near enough to be read. */
export function centerOn(view: View, x: number, y: number, screen: Size, atLeast = 0.7): View {
  const scale = Math.max(view.scale, atLeast)
  return { scale, x: screen.width / 2 - x * scale, y: screen.height / 2 - y * scale }
}

/** The part of the drawing on screen, and as much again around it as `margin` says (1: a whole screen on each side). */
export function seen(view: View, screen: Size, margin = 0): Area {
  const [spareX, spareY] = [screen.width * margin, screen.height * margin]
  return {
    left: (-view.x - spareX) / view.scale,
    top: (-view.y - spareY) / view.scale,
    right: (screen.width + spareX - view.x) / view.scale,
    bottom: (screen.height + spareY - view.y) / view.scale,
  }
}

export function toDrawing(view: View, x: number, y: number): { readonly x: number; readonly y: number } {
  return { x: (x - view.x) / view.scale, y: (y - view.y) / view.scale }
}

export function contains(outer: Area, inner: Area): boolean {
  return outer.left <= inner.left && outer.top <= inner.top && outer.right >= inner.right && outer.bottom >= inner.bottom
}

export function overlaps(one: Area, other: Area): boolean {
  return one.left <= other.right && one.right >= other.left && one.top <= other.bottom && one.bottom >= other.top
}

/** The least area around all of them; undefined for none. */
export function around(areas: readonly Area[]): Area | undefined {
  const [first, ...rest] = areas
  if (!first) return undefined
  let { left, top, right, bottom } = first
  for (const area of rest) {
    left = Math.min(left, area.left)
    top = Math.min(top, area.top)
    right = Math.max(right, area.right)
    bottom = Math.max(bottom, area.bottom)
  }
  return { left, top, right, bottom }
}
