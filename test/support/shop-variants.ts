/** The example shop in other sizes. */
import type { LabHost } from '../lab/lab.ts'
import type { Shop } from './shop.ts'

/** Without its database: nothing is reached through a tunnel. */
export function withoutDatabase(shop: Shop): void {
  shop.edit('stagecraft.yml', (text) => text.replace(/databases:\n( .*\n)+/, ''))
  shop.edit('docker-compose.yml', (text) =>
    text
      .replace(/\n {2}db:\n( {4}.*\n)+/, '\n')
      .replace(/\nvolumes:\n {2}db-data.*\n/, '\n')
      .replaceAll(/ {4}depends_on: \[db\]\n/g, ''),
  )
  shop.writeEnvironment({ TOKEN: 'a-token-for-the-shop' })
  shop.commit('without database')
}

/** `count` services built from one folder each, and one that is not: 3 × `count` + 5 tasks. */
export function withServices(shop: Shop, count: number): void {
  withoutDatabase(shop)
  const names = Array.from({ length: count }, (_, index) => `service-${index + 1}`)
  const built = names.map((name) => `  ${name}:\n    build: { context: api, labels: { service: ${name} } }\n    restart: unless-stopped\n`)
  shop.write(
    'docker-compose.yml',
    `services:\n${built.join('')}  cache:\n    image: \${BASE_IMAGE:-busybox:1.37}\n    command: [sleep, infinity]\n`,
  )
  shop.edit('stagecraft.yml', (text) => text.replace(/services:\n( .*\n)+/, ''))
  shop.commit(`${count} services`)
}

/** Every service on every one of the hosts, which are called `node-1`, `node-2` and so on. */
export function onEveryHost(shop: Shop, hosts: readonly LabHost[]): void {
  const lines = hosts.map(
    ({ address, port }, index) =>
      `      - { name: node-${index + 1}, address: "${address}", port: ${port}, user: deploy, identity_file: "${shop.lab.identityFile}", roles: [app] }\n`,
  )
  shop.edit('stagecraft.yml', (text) =>
    text
      .replace(/( {4}hosts:\n)( {6}- .*\n)+/, `$1${lines.join('')}`)
      .replace(
        /services:\n( .*\n)+/,
        'services:\n  api: { role: app }\n  web: { role: app }\n  worker: { role: app, rollout: { min_ready_seconds: 1 } }\n',
      ),
  )
  shop.edit('docker-compose.yml', (text) => text.replaceAll(/ {4}depends_on: .*\n/g, '').replaceAll(/ {4}ports: .*\n/g, ''))
  shop.commit(`on ${hosts.length} hosts`)
}
