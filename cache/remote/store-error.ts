import type { HttpAnswer } from './exchange.ts'

const longestDetail = 300

/**
 * What a server's answer amounts to when nothing can be done with it.
 * @param what was asked of whom: `oci://ghcr.io/acme/cache: writing blob …`.
 * @param said the server's own words, if it had any.
 * @param redact takes out what is secret: a server may repeat what it was sent.
 */
export function storeError(what: string, { status }: HttpAnswer, said: string | undefined, redact: (text: string) => string): Error {
  const detail =
    said === undefined
      ? ''
      : `, ${redact(said)
          .replace(/[^\x21-\x7e]+/g, ' ')
          .slice(0, longestDetail)}`
  return new Error(`${what}: the server answered with HTTP status ${status}${detail}`)
}
