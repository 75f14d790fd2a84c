/** Every rule of the manifest that needs no Compose file: one breach each, the whole message and its place. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { movedKeys, unsupportedKeys, unsupportedValues } from '../../../src/config/unsupported.ts'
import { aboutConfig, least } from './told.ts'

const test = suite('config/rules')

const project = 'project: {name: shop}\n'
const dev = 'environments: {dev: {}}\n'
const both = `${project}${dev}`
const oneHost = 'hosts: [node-1]\n'
const twoHosts = 'hosts: {app: [node-1], db: [node-2]}\n'
const letters = 'expected lower-case letters, digits, `-` and `_`, beginning with a letter or digit'

type Case = readonly [text: string, expected: string]

const shape: readonly Case[] = [
  ['', '1:1 SC1009 expected a map, found nothing'],
  ['- a', '1:1 SC1009 expected a map, found a list'],
  [dev, '1:1 SC1010 `project` is required'],
  [`project: {}\n${dev}`, '1:1 SC1010 `project.name` is required'],
  [`project: {name: 3}\n${dev}`, '1:17 SC1009 expected text in project.name, found `3` → "3"'],
  [`project: {name: ""}\n${dev}`, `1:17 SC1011 ${letters} in project.name, found empty text`],
  [
    `project: {name: a, registry: "https://ghcr.io"}\n${dev}`,
    '1:30 SC1011 expected a registry reference without scheme or tag, such as `ghcr.io/acme/shop` in project.registry, found `https://ghcr.io`',
  ],
  [
    `project: {name: a, registry: "ghcr.io/a:1"}\n${dev}`,
    '1:30 SC1011 expected a registry reference without scheme or tag, such as `ghcr.io/acme/shop` in project.registry, found `ghcr.io/a:1`',
  ],
  [
    `project: {name: a, compose_file: /etc/x}\n${dev}`,
    '1:34 SC1011 expected a path relative to the manifest in project.compose_file, found `/etc/x`',
  ],
  [
    `project: {name: a, compose_file: ../x}\n${dev}`,
    '1:34 SC1011 expected a path inside the project in project.compose_file, found `../x`',
  ],
  [`${project}environments: {Prod: {}}\n`, `2:16 SC1011 ${letters} in environments, found \`Prod\``],
  [`${both}services: [web]\n`, '3:1 SC1009 expected a map in services, found a list'],
  [`${both}services: {"a b": {}}\n`, '3:12 SC1011 expected letters, digits, `.`, `-` and `_` in services, found `a b`'],
  [`${both}services: {a: {replicas: 0}}\n`, '3:26 SC1011 expected at least 1 in services.a.replicas, found `0`'],
  [`${both}services: {a: {replicas: 1.5}}\n`, '3:26 SC1009 expected a whole number in services.a.replicas, found `1.5`'],
  [`${both}services: {a: {replicas: "2"}}\n`, '3:26 SC1009 expected a number in services.a.replicas, found `"2"`'],
  [
    `${both}services: {a: {build: backnd}}\n`,
    '3:23 SC1011 expected `backend`, `frontend` or `none` in services.a.build, found `backnd` → backend',
  ],
  [`${both}services: {a: {health: {port: 80}}}\n`, '3:16 SC1010 `services.a.health.path` is required'],
  [
    `${both}services: {a: {health: {path: x, port: 80}}}\n`,
    '3:31 SC1011 expected a path that begins with `/` in services.a.health.path, found `x`',
  ],
  [
    `${both}services: {a: {health: {path: /, port: 70000}}}\n`,
    '3:40 SC1011 expected at most 65535 in services.a.health.port, found `70000`',
  ],
  [
    `${both}services: {a: {rollout: {timeout_seconds: 0}}}\n`,
    '3:43 SC1011 expected at least 1 in services.a.rollout.timeout_seconds, found `0`',
  ],
  [
    `${both}services: {a: {rollout: {order: start-frist}}}\n`,
    '3:33 SC1011 expected `start-first` or `stop-first` in services.a.rollout.order, found `start-frist` → start-first',
  ],
  [
    `${both}databases: {main: {connection_env: database_url}}\n`,
    '3:36 SC1011 expected the name of an environment variable: capital letters, digits and `_` in databases.main.connection_env, found `database_url`',
  ],
  [
    `${both}databases: {main: {connection_env: D, migrations: {path: ../up}}}\n`,
    '3:58 SC1011 expected a path inside the project in databases.main.migrations.path, found `../up`',
  ],
  [
    `${both}databases: {main: {connection_env: D, migrations: {path: ~/up}}}\n`,
    '3:58 SC1011 expected a path relative to the manifest in databases.main.migrations.path, found `~/up`',
  ],
  [
    `${both}databases: {main: {connection_env: D, migrations: {path: up, table: "x; drop"}}}\n`,
    '3:69 SC1011 expected the name of a table, with or without its schema in databases.main.migrations.table, found `x; drop`',
  ],
  [
    `${project}environments: {dev: {variables: {"A-B": x}}}\n`,
    '2:34 SC1011 expected the name of an environment variable: letters, digits and `_` in environments.dev.variables, found `A-B`',
  ],
  [
    `${project}environments: {dev: {variables: {A: 0644}}}\n`,
    '2:37 SC1009 expected text in environments.dev.variables.A, found `0644` → "0644"',
  ],
  [
    `${project}environments: {dev: {path: /a/../b}}\n`,
    '2:28 SC1011 expected an absolute path without `..` in environments.dev.path, found `/a/../b`',
  ],
  [`${both}hosts: 3\n`, '3:8 SC1009 expected a list or a map in hosts, found `3`'],
  [`${both}hosts: [3]\n`, '3:9 SC1009 expected text or a map in hosts[0], found `3`'],
  [`${both}hosts: [{user: x}]\n`, '3:9 SC1010 `hosts[0].address` is required'],
  [`${both}hosts: [{adress: x, address: y}]\n`, '3:10 SC1003 unknown key `adress` in hosts[0] → address'],
  [
    `${both}hosts: [{address: "-oProxyCommand=x"}]\n`,
    '3:19 SC1011 expected a host name or an IP address in hosts[0].address, found `-oProxyCommand=x`',
  ],
  [`${both}hosts: [{address: a, user: -l}]\n`, '3:28 SC1011 expected a user name in hosts[0].user, found `-l`'],
  [`${both}hosts: ["ssh://a"]\n`, '3:9 SC1011 expected `[user@]address[:port]` in hosts[0], found `ssh://a`'],
  [`${both}hosts: {app: []}\n`, '3:9 SC1011 expected at least 1 entry in hosts.app, found an empty list'],
  [`${both}hosts: {App: [a]}\n`, `3:9 SC1011 ${letters} in hosts, found \`App\``],
]

const providers: readonly Case[] = [
  [`${both}backend: x\n`, '3:10 SC1009 expected a map in backend, found `x`'],
  [`${both}backend: {}\n`, '3:1 SC1014 `backend.provider` is required | there is `encore-ts`, `generic`'],
  [
    `${both}backend: {provider: ""}\n`,
    '3:21 SC1014 expected the id of a provider in backend.provider, found empty text | there is `encore-ts`, `generic`',
  ],
  [
    `${both}backend: {provider: encore-go}\n`,
    '3:21 SC1015 there is no backend provider `encore-go`, only `encore-ts`, `generic` → encore-ts',
  ],
  [
    `${both}backend: {provider: generic-dev-command}\n`,
    '3:21 SC1015 there is no backend provider `generic-dev-command`, only `encore-ts`, `generic` → generic',
  ],
  [`${both}frontend: {provider: generic}\n`, '3:1 SC1016 `frontend.providers` is required'],
  [`${both}frontend: {provider: generic, providers: 3}\n`, '3:42 SC1016 expected a map in frontend.providers, found `3`'],
  [
    `${both}frontend: {provider: generic, providers: {encore-ts: {}}}\n`,
    '3:22 SC1016 `frontend.providers.generic` is required: `generic` is selected',
  ],
  [
    `${both}backend: {provider: generic, providers: {generic: {build: {contxt: .}}}}\n`,
    '3:60 SC1003 unknown key `contxt` in backend.providers.generic.build → context',
  ],
  [
    `${both}backend: {provider: generic, providers: {generic: {build: {platform: amd64}}}}\n`,
    '3:70 SC1011 expected a platform such as `linux/amd64` in backend.providers.generic.build.platform, found `amd64`',
  ],
  [
    `${both}backend: {provider: generic, proviers: 1, providers: {generic: {}}}\n`,
    '3:30 SC1003 unknown key `proviers` in backend → providers',
  ],
]

const semantics: readonly Case[] = [
  [`${project}environments: {prod: {driver: remote}}\n`, '2:31 SC1021 environment `prod` is remote but has no hosts'],
  [`${project}environments: {prod: {driver: local, hosts: [a]}}\n`, '2:38 SC1021 environment `prod` is local but has hosts'],
  [
    `${both}hosts: [a@10.0.0.1:1, a@10.0.0.1:2]\n`,
    '3:23 SC1022 two hosts are called `10.0.0.1` | the other one | give each its own `name`',
  ],
  [`${project}${oneHost}environments: {prod: {primary_host: node-2}}\n`, '3:37 SC1023 there is no host `node-2`, only `node-1` → node-1'],
  [`${project}environments: {prod: {primary_host: a}}\n`, '2:37 SC1023 there is no host `a`'],
  [
    `${project}${twoHosts}services: {web: {role: ap}}\nenvironments: {prod: {}}\n`,
    '3:24 SC1024 no host of environment `prod` has role `ap` → app | its hosts have `app`, `db`',
  ],
  [
    `${project}${twoHosts}services: {web: {role: apps}}\nenvironments: {prod: {}}\n`,
    '3:24 SC1024 no host of environment `prod` has role `apps` → app | its hosts have `app`, `db`',
  ],
  [
    `${project}hosts: [a, b]\nservices: {web: {role: app}}\nenvironments: {prod: {}}\n`,
    '3:24 SC1024 no host of environment `prod` has role `app` | its hosts have no roles',
  ],
  [
    `${project}databases: {main: {connection_env: D}}\nenvironments: {prod: {databases: {mian: {}}}}\n`,
    '3:35 SC1050 there is no database `mian` to change → main',
  ],
  [`${both}databases: {main: {}}\n`, '3:13 SC1010 `databases.main.connection_env` is required'],
  [`${both}databases: {main: {connection_env: D, migrations: {}}}\n`, '3:39 SC1010 `databases.main.migrations.path` is required'],
  [
    `${project}${oneHost}databases: {main: {connection_env: D, via: node-2}}\n${dev}`,
    '3:44 SC1052 database `main`: there is no host `node-2` to go through → node-1',
  ],
  [
    `${both}databases: {main: {connection_env: D, migrations: {path: m, engine: rwa}}}\n`,
    '3:69 SC1053 database `main`: there is no migration engine `rwa`, only `command`, `drizzle`, `knex`, `prisma`, `raw` → raw',
  ],
  [
    `${both}databases: {main: {connection_env: D, migrations: {path: m}}}\nmigrations: {default_engine: dbmate}\n`,
    '4:30 SC1053 database `main`: there is no migration engine `dbmate`, only `command`, `drizzle`, `knex`, `prisma`, `raw`',
  ],
  [
    `${both}migrations: {engine_config: {flyway: {}}}\n`,
    '3:30 SC1053 there is no migration engine `flyway`, only `command`, `drizzle`, `knex`, `prisma`, `raw`',
  ],
  [
    `${both}migrations: {engine_config: {raw: {schema_tabel: x}}}\n`,
    '3:36 SC1003 unknown key `schema_tabel` in migrations.engine_config.raw → schema_table',
  ],
  [
    `${project}databases: {main: {connection_env: D}}\nenvironments: {prod: {variables: {D: "postgres://u:p@h/d"}}}\n`,
    '3:35 SC1054 `D` holds a connection string, which is a secret | set it in `env_file` or in the process environment',
  ],
]

for (const [text, expected] of [...shape, ...providers, ...semantics]) {
  test(expected, () => {
    assert.equal(aboutConfig(text), [expected])
    // The place is checked against the text itself, so that a column copied from a failing run cannot pass.
    const [, line = '', column = '', word] = /^(\d+):(\d+) (?:.*(?:found|key) `"?([^`"]+)"?`)?/.exec(expected) ?? []
    const there = text
      .split('\n')
      [Number(line) - 1]?.slice(Number(column) - 1)
      .replace(/^"/, '')
    if (word !== undefined) assert.ok(there?.startsWith(word), `${word} is not at ${line}:${column}`)
  })
}

test('what later versions will have at the top is known', () => {
  const later = ['network', 'cloud', 'ci', 'secrets', 'dev', 'infra', 'terraform']
  assert.equal(
    unsupportedKeys.filter((key) => !key.includes('.')),
    later,
  )
})

/** A manifest in which only the key at `path` is more than the least; `*` becomes `prod` or `x`. */
function withKey(path: string, value: string): string {
  const parts = path.split('.').map((part, index, all) => (part !== '*' ? part : all[index - 1] === 'environments' ? 'prod' : 'x'))
  const nested = parts.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value)
  const base = { project: { name: 'shop' }, ...(parts[0] === 'environments' ? {} : { environments: { prod: {} } }) }
  return JSON.stringify({ ...base, ...(nested as object) })
}
for (const path of unsupportedKeys) {
  test(`\`${path}\` is refused, not ignored`, () => {
    const shown = path.replace('environments.*', 'environments.prod').replaceAll('*', 'x')
    const messages = aboutConfig(withKey(path, 'anything')).filter((message) => message.includes('SC1012'))
    assert.is(messages.length, 1)
    assert.match(messages[0] ?? '', `SC1012 \`${shown}\` is not supported by this version`)
  })
}
for (const [path, value] of unsupportedValues) {
  test(`\`${path}: ${value}\` is refused, not ignored`, () => {
    const messages = aboutConfig(withKey(path, value)).filter((message) => message.includes('SC1012'))
    assert.is(messages.length, 1)
    assert.match(messages[0] ?? '', `: ${value}\` is not supported by this version`)
  })
}
for (const [path, now] of movedKeys) {
  test(`\`${path}\` says where it moved`, () => {
    const messages = aboutConfig(withKey(path, 'x')).filter((message) => message.includes('SC1013'))
    assert.match(messages[0] ?? '', `SC1013 \`${path}\` is an old spelling, expected \`${now}\``)
  })
}

test('an entry that is not selected is not looked at', () => {
  assert.equal(aboutConfig(`${both}backend: {provider: generic, providers: {generic: {}, broken: [1]}}\n`), [])
})
test('a single host without roles takes services of any role', () => {
  assert.equal(aboutConfig(`${least}services: {web: {role: app}}\n`), [])
})
test('one host may stand under several roles', () => {
  assert.equal(aboutConfig(`${both}hosts: {app: [a@b], db: [a@b]}\n`), [])
})
test('a mistake that all environments share is told once', () => {
  const text = `${project}hosts: [a@h:1, a@h:2]\nenvironments: {one: {}, two: {}}\n`
  assert.is(aboutConfig(text).length, 1)
})
test('a service called like a member of every object is a service', () => {
  assert.equal(aboutConfig(`${both}services: {constructor: {}, toString: {}}\n`), [])
})

test.run()
