/** Tells one Compose file from another by what it says, not how: comments and order of keys do not count. */
import { digestOfJson } from '../../graph/fingerprint.ts'
import type { Deployment } from '../contracts.ts'

/** What of it reaches hosts: builds are told apart by their images. */
export function composeHash({ compose, services }: Pick<Deployment, 'compose' | 'services'>): string {
  return digestOfJson({
    topLevel: compose.topLevel,
    services: Object.fromEntries(services.map(({ name, definition }) => [name, definition])),
  })
}
