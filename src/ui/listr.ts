import { DefaultRenderer, Listr, ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput } from 'listr2'
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run } from '../contracts.ts'
import type { History } from './history.ts'
import type { Paint } from './paint.ts'
import { endedText, runningText } from './row-text.ts'

export interface LiveListOptions {
  readonly graph: TaskGraph
  readonly run: Run
  readonly history: History
  readonly stream: NodeJS.WriteStream
  readonly paint: Paint
  title(task: Task): string
}

/** All of a listr2 task that we touch. Its full type rejects a renderer class under `exactOptionalPropertyTypes`. */
interface LiveTask {
  title: string | unknown[]
}

/** listr2 falls back to plain lines when *stdout* is no terminal; this list is on stderr and whoever made it knows better. */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true
}

const refreshMs = 200

/**
 * One listr2 list, a task of it for every task of the graph; resolves when every outcome is known, with the list gone again.
 *
 * What listr2 9.0.5 does, and what follows from it: it awaits *every* `enabled` before it starts any task, so asking `run.starts`
 * there would show nothing until the last task has started: a task that has not started is one without a title, which takes no
 * room. It fills its own concurrency slots with tasks that wait for others, a deadlock, so `concurrent` is true and the pool is
 * the executor's. It leaves `run()` early on an error and exits the process on SIGINT unless told not to.
 */
export async function showLiveList(options: LiveListOptions): Promise<void> {
  const { graph, run, history, stream, paint } = options
  const running = new Map<TaskId, LiveTask>()
  const tally = { done: 0, fresh: 0 }
  let shown = 0
  const follow = (id: TaskId) => async (_: unknown, live: LiveTask) => {
    if (await run.starts(id)) {
      running.set(id, live)
      shown++
    }
    const outcome = await run.outcome(id)
    running.delete(id)
    tally.done++
    if (outcome.status === 'skipped') tally.fresh++
    const row = history.row(id)
    if (row?.startedAt === undefined) return
    const isCrowded = outcome.status === 'ran' && shown > (stream.rows ?? 24) - 4
    if (isCrowded) shown--
    live.title = isCrowded ? '' : endedText(row, options.title, paint)
    if (outcome.status === 'failed') throw new Error(outcome.failure.message)
  }
  const refresh = (total: LiveTask) => {
    total.title = paint.dim(`${tally.done} of ${graph.order.length} done${tally.fresh > 0 ? `, ${tally.fresh} of them up to date` : ''}`)
    for (const [id, live] of running) {
      const row = history.row(id)
      if (row !== undefined) live.title = runningText(row, options.title, paint, Date.now())
    }
  }
  const count = async (_: unknown, live: LiveTask) => {
    const timer = setInterval(() => refresh(live), refreshMs)
    refresh(live)
    await Promise.all(graph.order.map((id) => run.outcome(id))).finally(() => clearInterval(timer))
  }
  const list = new Listr([...graph.order.map((id) => ({ task: follow(id) })), { task: count }], {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: LiveRenderer,
    rendererOptions: {
      clearOutput: true,
      collapseErrors: false,
      showErrorMessage: false,
      formatOutput: 'truncate',
      logger: new ListrLogger({ useIcons: true, processOutput: new ProcessOutput(stream, stream, { leaveEmptyLine: false }) }),
      color: colors(paint),
    },
  })
  await list.run()
}

/** Our colors in the place of listr2's, which follow its own idea of when to color. */
function colors(paint: Paint) {
  return {
    [ListrDefaultRendererLogLevels.PENDING]: (text: string | undefined) => paint.cyan(text ?? ''),
    [ListrDefaultRendererLogLevels.COMPLETED]: (text: string | undefined) => paint.green(text ?? ''),
    [ListrDefaultRendererLogLevels.FAILED]: (text: string | undefined) => paint.red(text ?? ''),
  }
}
