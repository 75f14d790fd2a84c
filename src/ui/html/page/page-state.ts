/** All that can change while the page is open. */

import { type Choice, everything, isShown } from './filters.ts'
import type { GraphIndex } from './graph-index.ts'
import type { View } from './viewport.ts'

export interface PageView {
  readonly view: View
  readonly choice: Choice
  /** Index of a task. */
  readonly selected: number | undefined
  /** The critical path stands out. */
  readonly isCritical: boolean
  /** Order-only edges are drawn. */
  readonly hasOrderOnly: boolean
  /** What was typed, and the tasks that match it, best first; none when nothing was typed. */
  readonly query: string
  readonly matches: readonly number[]
}

export interface PageStore {
  readonly current: PageView
  /** Changes it and lets everybody show it before the next frame. */
  change(patch: Partial<PageView>): void
  isShown(task: number): boolean
}

export function createStore({ data }: GraphIndex, show: (view: PageView) => void): PageStore {
  let current: PageView = {
    view: { x: 0, y: 0, scale: 1 },
    choice: everything,
    selected: undefined,
    isCritical: false,
    hasOrderOnly: true,
    query: '',
    matches: [],
  }
  let isDue = false
  return {
    get current() {
      return current
    },
    change(patch) {
      current = { ...current, ...patch }
      if (isDue) return
      isDue = true
      requestAnimationFrame(() => {
        isDue = false
        show(current)
      })
    },
    isShown(task) {
      const found = data.tasks[task]
      return found !== undefined && isShown(found, current.choice)
    },
  }
}
