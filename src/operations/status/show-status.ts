/** `stagecraft status`, once or for as long as somebody watches. */
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../../contracts.ts'
import { createPaint } from '../../ui/paint.ts'
import { decideColor, isInteractive } from '../../ui/terminal.ts'
import { exitCodeOf, type Fleet } from '../fleet.ts'
import { readStatus } from './read-status.ts'
import { isDegraded, type StatusReport, statusJson } from './report.ts'
import { StatusScreen } from './status-screen.ts'
import { changeLines, statusLines } from './status-text.ts'
import { watchStatus } from './watch-status.ts'

export interface StatusOptions {
  readonly format: 'text' | 'json'
  readonly watch: boolean
  /** 10 when something is not as it should be. */
  readonly exitCode: boolean
}

export async function showStatus(fleet: Fleet, options: StatusOptions, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const warn = (message: string) => void app.stderr.write(`warning: ${message}\n`)
  if (options.watch) {
    await watchStatus(fleet, app, { show: watcher(options, globals, app), warn })
    return exitCodes.done
  }
  const { report, answers } = await readStatus(fleet, app, warn)
  const paint = createPaint(decideColor(globals.color, app.env, app.stdout))
  const text = () => statusLines(report, paint, app.now().getTime()).join('\n')
  app.stdout.write(options.format === 'json' ? `${JSON.stringify(statusJson(report), null, 2)}\n` : `${text()}\n`)
  const code = exitCodeOf(answers)
  return code === exitCodes.done && options.exitCode && isDegraded(report) ? exitCodes.partial : code
}

/** On a terminal the whole status, drawn over the last; else a line for each change, or the whole as one line of JSON. */
function watcher(options: StatusOptions, globals: GlobalOptions, app: App): (report: StatusReport) => void {
  let before: StatusReport | undefined
  if (options.format === 'text' && isInteractive(app.env, app.stdout)) {
    const screen = new StatusScreen(app.stdout)
    const paint = createPaint(decideColor(globals.color, app.env, app.stdout))
    return (report) => screen.draw([...statusLines(report, paint, app.now().getTime()), '', paint.dim('watching: Ctrl-C ends it')])
  }
  return (report) => {
    const changes = changeLines(before, report)
    before = report
    if (changes.length === 0) return
    const time = app.now().toISOString().slice(0, 19)
    const text =
      options.format === 'json' ? `${JSON.stringify(statusJson(report))}\n` : changes.map((line) => `${time}Z ${line}\n`).join('')
    app.stdout.write(text)
  }
}
