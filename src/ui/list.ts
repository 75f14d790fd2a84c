import type { TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run } from '../contracts.ts'
import { everyOutcome } from './every-outcome.ts'
import { History } from './history.ts'
import { createPaint } from './paint.ts'
import { finalLine } from './row-text.ts'
import { renderSummary } from './summary.ts'
import type { View, ViewOptions } from './view.ts'

/**
 * A live list on a terminal. The list itself, and listr2 with it, is loaded when the first task runs: a run in which everything is
 * up to date shows, and pays for, nothing. Afterwards the live list gives way to one line per task that ran, which stay.
 */
export function createListView(stream: NodeJS.WriteStream, options: ViewOptions, result: NodeJS.WritableStream = stream): View {
  const history = new History()
  const paint = createPaint(options.color)
  return {
    on: (event) => void history.add(event),
    drive: async (graph, run) => {
      const all = everyOutcome(graph, run)
      if (await anyStarts(graph, run)) {
        const { showLiveList } = await import('./listr.ts')
        await showLiveList({ graph, run, history, stream, paint, title: options.title })
      }
      await all
      const lines = graph.order.map((id) => finalLine(history.row(id), options.title, paint)).filter((line) => line !== undefined)
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
    },
    finish: (ended) =>
      void result.write(
        renderSummary({
          ...ended,
          paint: createPaint(options.resultColor ?? options.color),
          ...(options.output === 'none' ? { outputLines: 0 } : {}),
        }),
      ),
  }
}

/** Resolves with true at the first task that runs, with false when it is certain that none will. */
async function anyStarts(graph: TaskGraph, run: Run): Promise<boolean> {
  const first = (id: TaskId) => run.starts(id).then((starts) => (starts ? id : Promise.reject(id)))
  return Promise.any(graph.order.map(first)).then(
    () => true,
    () => false,
  )
}
