import { DefaultRenderer, Listr, ListrDefaultRendererLogLevels, ListrLogger, ProcessOutput } from 'listr2'
import type { Task, TaskGraph, TaskId } from '../../graph/types.ts'
import type { Run } from '../contracts.ts'
import { everyOutcome } from './every-outcome.ts'
import type { History, Row } from './history.ts'
import { fateOf } from './outcome-words.ts'
import type { Paint } from './paint.ts'
import { endedText, runningText } from './row-text.ts'
import { printable } from './terminal.ts'

export interface LiveListOptions {
  readonly graph: TaskGraph
  readonly run: Run
  readonly history: History
  readonly stream: NodeJS.WriteStream
  readonly paint: Paint
  readonly isFirstRun?: boolean
  /** Ends the list, and not the tasks, when it resolves. */
  readonly until: Promise<unknown>
  title(task: Task): string
}

/** All of a listr2 task that we touch. Its full type rejects a renderer class under `exactOptionalPropertyTypes`. */
interface LiveTask {
  title: string | unknown[]
}

/**
 * listr2 falls back to plain lines when *stdout* is no terminal; this list is on stderr and whoever made it knows better. It also
 * draws on every change of every task, which with hundreds of tasks takes the time the tasks need: its own clock draws often enough.
 */
class LiveRenderer extends DefaultRenderer {
  static override nonTTY = true
  #drawnAt = 0

  override update(): void {
    const now = performance.now()
    if (now - this.#drawnAt < shortestFrameMs) return
    this.#drawnAt = now
    super.update()
  }
}

/**
 * listr2 holds back whatever others write to its stream until the list is gone, and prints it then. What others say while a list is
 * live is that somebody pressed Ctrl+C, so it is also shown at once.
 */
class SharedOutput extends ProcessOutput {
  readonly #stream: NodeJS.WriteStream
  readonly #heard: (text: string) => void

  constructor(stream: NodeJS.WriteStream, heard: (text: string) => void) {
    super(stream, stream, { leaveEmptyLine: false })
    this.#stream = stream
    this.#heard = heard
  }

  override hijack(): void {
    super.hijack()
    const hold = this.#stream.write
    this.#stream.write = (chunk: Uint8Array | string) => {
      const text = printable(chunk.toString())
      // No text, so it is the cursor being hidden, or shown again when the process ends in the middle.
      if (text === '') return this.toStdout(chunk.toString(), false)
      this.#heard(text)
      return hold(chunk)
    }
  }
}

const refreshMs = 200
const shortestFrameMs = 80

/**
 * One listr2 list, a task of it for every task of the graph; resolves when every outcome is known, with the list gone again.
 *
 * What listr2 9.0.5 does, and what follows from it: it awaits *every* `enabled` before it starts any task, so asking `run.starts`
 * there would show nothing until the last task has started: a task that has not started is one without a title, which takes no
 * room. It fills its own concurrency slots with tasks that wait for others, a deadlock, so `concurrent` is true and the pool is
 * the executor's. It leaves `run()` early on an error and exits the process on SIGINT unless told not to.
 */
export async function showLiveList(options: LiveListOptions): Promise<void> {
  const { graph, run, history, stream, paint, until } = options
  const running = new Map<TaskId, LiveTask>()
  const tally = { done: 0, fresh: 0, restored: 0, failed: 0 }
  const notices: string[] = []
  let endedLines = 0
  const over = until.then(() => undefined)
  const room = () => Math.max(4, (stream.rows ?? 24) - 3)
  /** Rows of tasks that have ended stay while they leave half of the screen to those that have not. */
  const ended = (row: Row) => {
    const text = endedText(row, options, paint)
    const lines = text.split('\n').length
    if (endedLines + lines > room() / 2) return ''
    endedLines += lines
    return text
  }
  const follow = (id: TaskId) => async (_: unknown, live: LiveTask) => {
    if (await Promise.race([run.starts(id), over])) running.set(id, live)
    const outcome = await Promise.race([run.outcome(id), over])
    running.delete(id)
    if (outcome === undefined) return
    tally.done++
    const fate = fateOf(outcome)
    if (fate === 'fresh') tally.fresh++
    if (fate === 'local' || fate === 'remote') tally.restored++
    if (outcome.status === 'failed') tally.failed++
    const row = history.row(id)
    if (row?.startedAt !== undefined || outcome.status === 'failed') live.title = row === undefined ? '' : ended(row)
    if (outcome.status === 'failed') throw new Error(outcome.failure.message)
  }
  const refresh = (total: LiveTask) => {
    const now = Date.now()
    const space = room() - endedLines
    const isTight = running.size * 2 > space
    for (const [index, [id, live]] of [...running].entries()) {
      const row = history.row(id)
      if (row !== undefined) live.title = index < space ? runningText(row, options, paint, now, !isTight) : ''
    }
    const tallied = paint.dim(tallyText(tally, graph.order.length, Math.max(0, running.size - space)))
    total.title = [tallied, ...notices.slice(-2)].join('\n')
  }
  const count = async (_: unknown, live: LiveTask) => {
    const timer = setInterval(() => refresh(live), refreshMs)
    refresh(live)
    await Promise.race([everyOutcome(graph, run), over]).finally(() => clearInterval(timer))
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
      logger: new ListrLogger({ useIcons: true, processOutput: new SharedOutput(stream, (text) => notices.push(text)) }),
      color: colors(paint),
    },
  })
  await list.run()
}

function tallyText(
  tally: { readonly done: number; readonly fresh: number; readonly restored: number; readonly failed: number },
  total: number,
  hidden: number,
): string {
  const parts = [
    `${tally.done} of ${total} done`,
    ...(tally.fresh > 0 ? [`${tally.fresh} up to date`] : []),
    ...(tally.restored > 0 ? [`${tally.restored} restored`] : []),
    ...(tally.failed > 0 ? [`${tally.failed} failed`] : []),
    ...(hidden > 0 ? [`${hidden} more running`] : []),
  ]
  return parts.join(', ')
}

/** Our colors in the place of listr2's, which follow its own idea of when to color. */
function colors(paint: Paint) {
  return {
    [ListrDefaultRendererLogLevels.PENDING]: (text: string | undefined) => paint.cyan(text ?? ''),
    [ListrDefaultRendererLogLevels.COMPLETED]: (text: string | undefined) => paint.green(text ?? ''),
    [ListrDefaultRendererLogLevels.FAILED]: (text: string | undefined) => paint.red(text ?? ''),
  }
}
