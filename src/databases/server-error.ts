import type { Failure } from '../../graph/types.ts'
import { TaskFailure } from '../../tasks/kind.ts'

/** What a server says of an error (https://www.postgresql.org/docs/current/protocol-error-fields.html), or a socket. */
interface ErrorFields {
  readonly code?: unknown
  readonly message?: unknown
  readonly detail?: unknown
  readonly hint?: unknown
}

/** Nobody listens there yet, or the server is not ready: all of these pass by themselves while a database starts. */
const startingUp: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'CONNECTION_CLOSED', '57P03'])
const socketMessages: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens on',
  ENOENT: 'there is no socket',
  ENOTFOUND: 'no such host:',
  EAI_AGAIN: 'no name server knows the host of',
  ETIMEDOUT: 'no answer from',
  EHOSTUNREACH: 'no route to',
}

/** Five characters, two of them the class: `42P01`. */
const sqlState = /^[0-9A-Z]{5}$/

/** An error of the driver, the server or the socket as a failure; a failure stays as it is, but for secrets. */
export function asFailure(error: unknown, subject: string, where: string, redact: (text: string) => string): TaskFailure {
  if (error instanceof TaskFailure) {
    const message = redact(error.failure.message)
    return message === error.failure.message ? error : new TaskFailure({ ...error.failure, message })
  }
  const code = codeOf(error)
  const message = wording(error, code, where)
  const reason = startingUp.has(code) ? 'unreachable' : code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' ? 'timeout' : 'refused'
  // Not kept as its cause: the driver puts the statement and its parameters into its errors.
  return new TaskFailure({ reason, subject, message: redact(message) })
}

function wording(error: unknown, code: string, where: string): string {
  const phrase = socketMessages[code]
  if (phrase) return `${phrase} ${where}`
  if (code === 'CONNECTION_CLOSED') return `the connection to ${where} was closed`
  // Node's words for a server that answered our wish for TLS with no.
  if (code === 'ECONNRESET' && /TLS/.test(explain(error))) return `${where} hung up before TLS was agreed on: it may not offer TLS`
  return explain(error)
}

/** The server hung up, or the way to it broke. */
export function connectionLost(subject: string, where: string): Failure {
  return { reason: 'unreachable', subject, message: `the connection to ${where} was closed` }
}

/** Message, SQLSTATE, detail and hint: all a person needs to mend a statement. Not redacted. */
export function explain(error: unknown): string {
  const { message, detail, hint } = fieldsOf(error)
  const code = codeOf(error)
  const state = sqlState.test(code) ? ` (SQLSTATE ${code})` : ''
  const more = [
    ['detail', detail],
    ['hint', hint],
  ].flatMap(([label, text]) => (typeof text === 'string' && text !== '' ? [`${label}: ${text}`] : []))
  return [`${typeof message === 'string' && message !== '' ? message : code || 'unknown error'}${state}`, ...more].join('\n')
}

/** SQLSTATE, or the code of a socket's error; empty when there is none. */
export function codeOf(error: unknown): string {
  const { code } = fieldsOf(error)
  return typeof code === 'string' ? code : ''
}

/** Where in the statement, in characters from 1; undefined when the server does not say. */
export function positionOf(error: unknown): number | undefined {
  const { position } = fieldsOf(error) as { readonly position?: unknown }
  const number = Number(position)
  return Number.isInteger(number) && number > 0 ? number : undefined
}

function fieldsOf(error: unknown): ErrorFields {
  return typeof error === 'object' && error !== null ? error : { message: String(error) }
}
