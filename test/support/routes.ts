import type { Route } from '../../tasks/edge/route.ts'

/** A route on a machine that has it all: users, containers, nothing special. */
export function sampleRoute(more: Partial<Route> = {}): Route {
  return {
    provider: 'caddy',
    key: 'shop.prod.web',
    network: 'shop-prod_stagecraft-edge',
    domains: ['shop.example.com'],
    path: '/',
    tls: { mode: 'none' },
    hsts: false,
    redirects: [],
    basicAuth: null,
    assets: null,
    open: 'local',
    isLocal: true,
    gateways: [],
    innerPort: 8079,
    drainSeconds: 30,
    verify: { path: '/', expectedStatus: null },
    ...more,
  }
}

export const sampleRoutes: readonly (readonly [title: string, route: Partial<Route>])[] = [
  ['plain', {}],
  ['acme', { tls: { mode: 'acme', emailSecret: 'ACME_EMAIL', server: null }, hsts: true }],
  ['acme-elsewhere', { tls: { mode: 'acme', emailSecret: 'ACME_EMAIL', server: 'https://ca.example.com/dir' } }],
  ['files', { tls: { mode: 'files', certificateSecret: 'file:a.pem', keySecret: 'file:a.key' }, redirects: ['www.shop.example.com'] }],
  ['auth', { basicAuth: 'USERS', path: '/admin' }],
  ['gateway', { open: { peers: ['10.0.0.2:8079', '10.0.0.3:8079'] }, isLocal: false, gateways: ['10.0.0.1'] }],
  ['app-host', { open: null, gateways: ['10.0.0.1'] }],
  ['two-domains', { domains: ['a.example.com', 'b.example.com'] }],
]
export const sampleSecrets = {
  email: 'ops@example.com',
  certificate: 'abcdef0123456789',
  accounts: [{ username: 'anna', hash: `$2y$05$${'a'.repeat(53)}` }],
} as const
