/**
 * A run on a terminal. While several tasks are at work, a live list. A task that was asked for by name and is the only one left has the
 * screen to itself: its lines come as it prints them, as if it had been typed without us.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run } from '../contracts.ts'
import { everyOutcome } from './every-outcome.ts'
import { History } from './history.ts'
import { createPaint } from './paint.ts'
import { Screen } from './screen.ts'
import { renderSummary } from './summary.ts'
import type { View, ViewOptions } from './view.ts'

/** What is over sooner is not worth a list, which takes about that long to load. */
const listAfterMs = 150

/** The list, and listr2 with it, is loaded when tasks have run for a moment: a run in which everything is up to date pays for nothing. */
export function createListView(stream: NodeJS.WriteStream, options: ViewOptions, result: NodeJS.WritableStream = stream): View {
  const history = new History()
  const paint = createPaint(options.color)
  const screen = new Screen((text) => void stream.write(text), options, history, paint, 'isTTY' in result && result.isTTY === true)
  return {
    on: (event) => {
      history.add(event)
      screen.on(event)
    },
    drive: async (graph, run) => {
      screen.begin(graph)
      const all = everyOutcome(graph, run)
      if ((await anyStarts(graph, run)) && !(await isSettledSoon(Promise.race([all, screen.alone])))) {
        const { showLiveList } = await import('./listr.ts')
        await screen.whileLive(() => showLiveList({ graph, run, history, stream, paint, ...options, until: screen.alone }))
      }
      await all
      screen.end()
    },
    finish: (ended) =>
      void result.write(
        renderSummary({
          ...ended,
          paint: createPaint(options.resultColor ?? options.color),
          outputLines: (id) => (options.output === 'none' || screen.hasShown(id) ? 0 : 20),
        }),
      ),
  }
}

async function isSettledSoon(promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const late = delay(listAfterMs, false, { signal: timer.signal }).catch(() => true)
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    timer.abort()
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
