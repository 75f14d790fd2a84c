/** For work that the interrupt must not cut off at once: what it means is for the work to say. */
import type { App } from '../contracts.ts'

/** `app` with another signal. Made without asking for its streams, which Node would open. */
export function withSignal(app: App, signal: AbortSignal): App {
  return Object.create(app, { signal: { value: signal, enumerable: true } }) as App
}
