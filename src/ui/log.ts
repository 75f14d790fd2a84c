import type { Json } from '../../graph/types.ts'

export type Fields = Readonly<Record<string, Json | undefined>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Says things to a person, on stderr: stdout belongs to the result. */
export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** A logger that adds these fields to every line; a field of the call wins. */
  withFields(fields: Fields): Logger
}

export interface LoggerOptions {
  readonly stream: NodeJS.WritableStream
  readonly level: LogLevel
  /** Takes secrets out of a whole line. The one place they can be taken out. */
  redact(text: string): string
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** `--quiet` leaves errors, `--verbose` adds debug; otherwise info and up. */
export function logLevel(globals: { readonly quiet: boolean; readonly verbose: boolean }): LogLevel {
  if (globals.quiet) return 'error'
  return globals.verbose ? 'debug' : 'info'
}

/** Lines are `LEVEL: message (key=value, …)`, fields sorted by key; no time, so that the same run says the same. */
export function createLogger(options: LoggerOptions, base: Fields = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (levels.indexOf(level) < levels.indexOf(options.level)) return
      options.stream.write(`${options.redact(logLine(level, message, { ...base, ...fields }))}\n`)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    withFields: (fields) => createLogger(options, { ...base, ...fields }),
  }
}

/** One line without its line break. */
export function logLine(level: LogLevel, message: string, fields: Fields): string {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined)
  const sorted = pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${fieldText(value)}`)
  return `${level.toUpperCase()}: ${message}${sorted.length === 0 ? '' : ` (${sorted.join(', ')})`}`
}

function fieldText(value: Json | undefined): string {
  return typeof value === 'string' && !/[\s,"()=]/.test(value) ? value : JSON.stringify(value)
}
