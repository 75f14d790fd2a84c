import type { RunEvent } from '../contracts.ts'
import type { View } from './view.ts'

/** A view that says nothing of a run in which nothing had to be done: `onFirst` is called, and the view follows, once something has. */
export function silentWhenFresh(view: View, onFirst: () => void): View {
  let isSilent = true
  const held: RunEvent[] = []
  return {
    on(event) {
      const isWork = event.type === 'started' || (event.type === 'finished' && event.outcome.status === 'failed')
      if (isSilent && isWork) {
        isSilent = false
        onFirst()
        for (const earlier of held.splice(0)) view.on(earlier)
      }
      if (isSilent) held.push(event)
      else view.on(event)
    },
    drive: (graph, run) => view.drive(graph, run),
    finish(result) {
      if (!isSilent) view.finish(result)
    },
  }
}
