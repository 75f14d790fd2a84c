import { type EdgeProviderEntry, edgeConfig } from './settings.ts'

/** https://caddyserver.com, 2.6.2 and later. */
export const caddy: EdgeProviderEntry = {
  role: 'edge',
  id: 'caddy',
  summary: 'Caddy: a swap is one rename, no connection is closed',
  config: edgeConfig('caddy:2.10'),
  servesFiles: true,
}
