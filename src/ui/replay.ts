import type { Digest, Outcome } from '../../graph/types.ts'
import type { RunEvent } from '../contracts.ts'
import type { View } from './view.ts'

/**
 * A view that also shows what tasks printed when they ran, if they need not run now (`--output full`). A log that is no longer in the
 * cache is passed over: it was never part of the result.
 * @param read lines of a stored log, or undefined when it is gone.
 */
export function withReplay(view: View, read: (log: Digest) => Promise<readonly string[] | undefined>): View {
  const replays: Promise<void>[] = []

  async function replay(event: Extract<RunEvent, { type: 'finished' }>, log: Digest): Promise<void> {
    const lines = (await read(log)) ?? []
    for (const line of lines) view.on({ type: 'output', task: event.task, at: event.at, line, replayed: true })
    view.on(event)
  }

  return {
    on(event) {
      const log = event.type === 'finished' ? replayable(event.outcome) : undefined
      if (event.type === 'finished' && log !== undefined) replays.push(replay(event, log))
      else view.on(event)
    },
    async drive(graph, run) {
      await view.drive(graph, run)
      await Promise.all(replays)
    },
    finish: (result) => view.finish(result),
  }
}

function replayable(outcome: Outcome): Digest | undefined {
  return outcome.status === 'skipped' ? outcome.result.log : undefined
}
