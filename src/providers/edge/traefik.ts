import { type EdgeProviderEntry, edgeConfig } from './settings.ts'

/** https://traefik.io/traefik, version 3. */
export const traefik: EdgeProviderEntry = {
  role: 'edge',
  id: 'traefik',
  summary: 'Traefik 3 with its file provider: a swap is confirmed by its API',
  config: edgeConfig('traefik:v3.5'),
  servesFiles: false,
}
