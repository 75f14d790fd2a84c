/** The launcher and the program are two bundles in one process: what the first has seen reaches the second by a name that both know. */
import type { Look } from './certificate.ts'

const place = Symbol.for('stagecraft.look')
const shared = globalThis as { [place]?: Look }

export function handOver(look: Look): void {
  shared[place] = look
}

/** What the launcher saw, once: it tells of one moment, and a watch runs for hours. */
export function takeOver(): Look | undefined {
  const look = shared[place]
  delete shared[place]
  return look
}
