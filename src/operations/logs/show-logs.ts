/** `stagecraft logs`: what was said, then perhaps what is being said, on all hosts as one. */
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { TaskFailure } from '../../../tasks/kind.ts'
import { type App, type ExitCode, exitCodes, type GlobalOptions } from '../../contracts.ts'
import { createPaint } from '../../ui/paint.ts'
import { decideColor, printable } from '../../ui/terminal.ts'
import { exitCodeOf, type Fleet } from '../fleet.ts'
import { knownSecrets } from '../known-secrets.ts'
import { follow } from './follow.ts'
import { type LineStyle, type LogLine, lineText, shortContainer, sourceName, visible } from './line-text.ts'
import type { OutputWindow } from './output-window.ts'
import { type Positions, readPast } from './past.ts'
import { ReorderWindow } from './reorder.ts'
import { openSink, type Sink } from './sink.ts'

export interface LogsOptions {
  readonly window: OutputWindow
  readonly follow: boolean
  readonly timestamps: boolean
  readonly prefix: boolean
  readonly format: 'text' | 'json'
}

/** While following, how long a line waits for others that were said before it and are still on their way. */
const reorderMs = 250
/** Lines that may wait; then hosts wait too. */
const mostWaiting = 10_000
/** Text is written in pieces of about this length: a line at a time is slow. */
const pieceLength = 16 * 1024

/** @throws TaskFailure when there is nothing to read from. */
export async function showLogs(fleet: Fleet, options: LogsOptions, globals: GlobalOptions, app: App): Promise<ExitCode> {
  const secrets = await knownSecrets(fleet.opened, app)
  const dim = createPaint(decideColor(globals.color, app.env, app.stderr)).dim
  const note = (text: string) => void (globals.quiet || app.stderr.write(`${dim(printable(secrets.redact(text)))}\n`))
  const warn = (text: string) => void app.stderr.write(`warning: ${secrets.redact(text)}\n`)
  if (fleet.opened.missingEnvFile !== undefined) {
    warn(`${fleet.opened.missingEnvFile} is not on this machine: values from it cannot be hidden`)
  }
  const sink = openSink(app.stdout, app.signal)
  const stop = AbortSignal.any([app.signal, sink.gone])
  // One for each container that is read.
  setMaxListeners(0, stop)
  const positions: Positions = new Map()
  let failures = 0
  try {
    const past = await readPast(fleet, {
      request: options.window.request,
      signal: stop,
      positions,
      onFailure: (host, { message }) => {
        failures++
        warn(`${host}: ${message}`)
      },
    })
    for (const answer of past.answers) if (!answer.ok) warn(`${answer.name}: ${answer.failure.message}`)
    const containers = past.answers.flatMap((answer) =>
      answer.ok
        ? answer.value.map(({ name }) => ({ host: answer.name, container: shortContainer(name, fleet.deployment.composeProject) }))
        : [],
    )
    if (containers.length === 0 && past.answers.every(({ ok }) => ok)) throw nothingThere(fleet)

    const show = printer(sink, options, secrets.redact, containers.map(sourceName), styleOf(options, containers.length, globals, app))
    for await (const lines of past.lines) {
      await show(lines)
      if (stop.aborted) break
    }
    if (sink.gone.aborted) return exitCodes.done
    if (options.follow && !stop.aborted) await live(fleet, options, positions, stop, show, note)
    if (options.follow || sink.gone.aborted) return exitCodes.done
    const code = exitCodeOf(past.answers)
    return code === exitCodes.done && failures > 0 ? exitCodes.partial : code
  } finally {
    sink.close()
  }
}

/** Whoever follows is told where a line is from even when there is one container: there may soon be another. */
function styleOf(options: LogsOptions, containers: number, globals: GlobalOptions, app: App): LineStyle {
  const color = decideColor(globals.color, app.env, app.stdout)
  return {
    format: options.format,
    prefix: options.prefix && (options.follow || containers > 1),
    timestamps: options.timestamps,
    paint: createPaint(color),
    keepStyles: color && app.stdout.isTTY === true,
  }
}

type Show = (lines: readonly LogLine[]) => Promise<void>

function printer(sink: Sink, { window }: LogsOptions, redact: (text: string) => string, names: readonly string[], style: LineStyle): Show {
  return async (lines) => {
    let text = ''
    for (const given of lines) {
      const line = { ...given, text: redact(given.text) }
      if (!window.matches(visible(line.text, false))) continue
      text += lineText(line, style, names)
      if (text.length < pieceLength) continue
      await sink.write(text)
      if (sink.gone.aborted) return
      text = ''
    }
    if (text !== '') await sink.write(text)
  }
}

async function live(
  fleet: Fleet,
  { window }: LogsOptions,
  positions: Positions,
  stop: AbortSignal,
  show: Show,
  note: (text: string) => void,
): Promise<void> {
  const waiting = new ReorderWindow<LogLine>(reorderMs)
  const over = new AbortController()
  const isOver = () => over.signal.aborted
  const following = follow(fleet, {
    request: window.request,
    signal: stop,
    positions,
    say: note,
    async take(lines) {
      waiting.add(lines, performance.now())
      while (waiting.size > mostWaiting && !stop.aborted) await delay(reorderMs / 5)
    },
  }).finally(() => over.abort())
  while (!isOver()) {
    await show(waiting.take(performance.now()))
    const waitMs = Math.max(10, (waiting.nextMs ?? performance.now() + reorderMs) - performance.now())
    await delay(Math.min(waitMs, reorderMs), undefined, { signal: over.signal }).catch(() => undefined)
  }
  await show(waiting.flush())
  await following
}

function nothingThere(fleet: Fleet): TaskFailure {
  const hosts = fleet.hosts.map(({ name }) => name).join(', ')
  const what = fleet.services === undefined ? 'no container' : `no container of ${fleet.services.join(' or ')}`
  return new TaskFailure({
    reason: 'refused',
    subject: fleet.deployment.environment,
    message: `${what} is on ${hosts}`,
    remedy: `see what is there: stagecraft status --env ${fleet.deployment.environment}`,
  })
}
