import type { TaskId } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import type { View } from './view.ts'

/** A view that says nothing of a run in which nothing had to be done: `onFirst` is called, and the view follows, once something has. */
export function silentWhenFresh(view: View, onFirst: () => void): View {
  let isSilent = true
  const held: RunEvent[] = []
  const begun = new Set<TaskId>()
  return {
    on(event) {
      if (event.type === 'started') begun.add(event.task.id)
      // Of a service that an earlier run left running.
      if (event.type === 'output' && !event.replayed && !begun.has(event.task.id)) return view.on(event)
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
