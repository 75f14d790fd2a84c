/** A text whose first line tells whether anybody has changed the rest. Against mistakes, not against malice: the hash has no key. Pure. */
import { createHash } from 'node:crypto'

const first = /^# stagecraft: deploys write this file; sha256 of what follows: ([0-9a-f]{64})\n/

/** @param text in a format whose comments begin with `#`. */
export function sealed(text: string): string {
  return `# stagecraft: deploys write this file; sha256 of what follows: ${hashOf(text)}\n${text}`
}

/** False for what was edited, and for what was never sealed. */
export function isAsSealed(text: string): boolean {
  const found = first.exec(text)
  return found?.[1] !== undefined && found[1] === hashOf(text.slice(found[0].length))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
