import { caddy } from './caddy.ts'
import type { EdgeProviderEntry } from './settings.ts'
import { traefik } from './traefik.ts'

export const edgeProviders: readonly EdgeProviderEntry[] = [caddy, traefik]

/** For a manifest with routes and no word on who answers them: the one that every release of ours is tried with. */
export const defaultEdgeProvider = caddy.id
