/** Asks whether something answers, once. */
import { connect } from 'node:net'
import type { Probes } from '../../tasks/ports.ts'

/** How long one answer may take. */
const answerMs = 5000

export const probes: Probes = {
  async http(url, signal) {
    const { get } = await (url.startsWith('https:') ? import('node:https') : import('node:http'))
    return new Promise((resolve) => {
      const timeout = AbortSignal.timeout(answerMs)
      const request = get(url, { signal: AbortSignal.any([signal, timeout]), agent: false }, (response) => {
        response.resume()
        const status = response.statusCode ?? 0
        // A redirection is an answer: where it leads to is another question.
        resolve(status < 400 ? undefined : `${url} answers with status ${status}`)
        request.destroy()
      })
      request.on('error', (error: NodeJS.ErrnoException) => {
        resolve(
          `${url} ${timeout.aborted ? `does not answer within ${answerMs / 1000} s` : `does not answer: ${error.code ?? error.message}`}`,
        )
      })
    })
  },
  tcp(address, signal) {
    const at = address.lastIndexOf(':')
    const host = address.slice(0, at).replace(/^\[(.*)\]$/, '$1')
    return new Promise((resolve) => {
      const socket = connect({
        host,
        port: Number(address.slice(at + 1)),
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
      })
      socket.on('connect', () => {
        socket.destroy()
        resolve(undefined)
      })
      socket.on('error', (error: NodeJS.ErrnoException) =>
        resolve(`${address} does not accept connections: ${error.code ?? error.message}`),
      )
    })
  },
}
