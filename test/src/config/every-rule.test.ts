/**
 * No rule about the manifest and the Compose file without a breach of it whose whole message is compared. Most are in `rules.test.ts`, `task-rules.test.ts`
 * and `resolve.test.ts`; here are the others, and the test that counts them all.
 */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { InputError } from '../../../src/contracts.ts'
import { loadSecrets } from '../../../src/secrets/secrets.ts'
import { rejects } from '../../support/assertions.ts'
import { stagecraft } from '../../support/cli.ts'
import { filesBelow, textOf } from '../../support/source-tree.ts'
import { inTemporaryDirectory } from '../../support/temporary-directory.ts'
import { aboutConfig, diagnosticsOf, resolved, told } from './told.ts'

const test = suite('config/every-rule')

const cases: readonly (readonly [manifest: string, compose: string | undefined, said: readonly string[]])[] = [
  [
    'project: {name: shop}\nservices: {db: {needs: [gen]}}\ntasks: {gen: {command: x}}\nenvironments: {prod: {}}\n',
    'services: {db: {image: postgres}}\n',
    ['2:17 SC1111 service `db` has `needs`, but its image is not built here'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nbackend: {dev: {command: [x]}}\n',
    undefined,
    [
      '2:1 SC1014 `backend.provider` is required | there is `encore-ts`, `generic`',
      '2:11 SC1013 `backend.dev` is an old spelling, expected `backend.providers.<provider>.dev`',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {rollout: {canary: n3}}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, read_only: true}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    ['4:41 SC1027 there is no host `n3` to go first'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2, 10.0.0.3]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, environment: [DB_HOST]}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    [
      '3:12 SC1045 service `web` on `10.0.0.1` needs `db`, which runs on `10.0.0.2`, `10.0.0.3`: nothing says on which it is to be asked | put `db` on one host, or on every host of `web`; or reach it through the edge',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {services: {db: {mode: external}}}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, read_only: true}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    ['4:34 SC1046 service `db` is external and has no `url`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {services: {db: {url: "https://x.example"}}}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, read_only: true}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    ['4:34 SC1046 service `db` has a `url` but is deployed here | add `mode: external`, or leave `url` out'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, environment: [DB_HOST]}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, read_only: true}\n',
    [
      '3:30 SC1047 service `web` needs `db`, and nothing says at which port that listens | set `services.db.port`, or `expose` in the Compose file',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [db.example.com]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, environment: [DB_HOST]}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    [
      '3:30 SC1048 service `db` is needed on other hosts, and `db.example.com` is not an IP address it can be published on | give the host a `private_address`',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}, cache: {role: db}}\nenvironments: {prod: {}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, environment: {A: "${DB_HOST} ${CACHE_HOST}"}}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n  cache: {image: cache, expose: [5432], healthcheck: {test: [CMD, "true"]}}\n',
    [
      '3:30 SC1049 services `cache` and `db` are both needed on other hosts, and both listen at the same port | publish one of them at another port of the host, in `ports` of the Compose file',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}, container_name: web}}\n',
    [
      '1:66 SC1055 `services.web.container_name` cannot be had on a swarm | the swarm names its copies; others find the service under its own name',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}, env_file: /etc/shop.env}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['2:68 SC1055 `env_file` on hosts cannot be had on a swarm | nodes of a swarm have no files of their own: name one on this machine'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}}}\nservices: {web: {rollout: {driver: recreate}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['3:28 SC1055 driver `recreate` cannot be had on a swarm | the swarm itself rolls services'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}, volumes: ["data:/data"]}}\nvolumes: {data: {}}\n',
    [
      '1:12 SC1056 service `web` keeps data in `data` of a node, and nothing says of which: the swarm may move it away from its data | give it a `role` that one host has, or `deploy.placement.constraints`, or a volume whose `driver` reaches every node',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}}}\nservices: {web: {route: {domains: [a.example], port: 80}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    [
      '3:12 SC1057 service `web` has a `route`, and the edge does not reach services of a swarm | publish a port in the Compose file, and lead a load balancer to it; `environments.prod.services.web.route: false` takes the route away here',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [10.0.0.1], rollout: {target: swarm}, env_file: .env.prod}}\n',
    'services: {web: {build: ., healthcheck: {test: [CMD, "true"]}}}\n',
    [
      '2:68 SC1058 (warning) service `web` is given secrets as variables: whoever may ask a manager of the swarm can read them in its spec | what is named under `secrets` in the Compose file is a secret of the swarm, which only its containers can read',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, depends_on: [db]}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, read_only: true}\n',
    [
      '3:30 SC1065 (warning) service `web` needs `db`, and nothing says at which port that listens | set `services.db.port`, or `expose` in the Compose file',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhosts: {app: [10.0.0.1], db: [10.0.0.2]}\nservices: {web: {role: app}, db: {role: db}}\nenvironments: {prod: {rollout: {driver: docker-rollout}}}\n',
    'services:\n  web: {image: web, healthcheck: {test: [CMD, "true"]}, container_name: web}\n  db: {image: postgres, healthcheck: {test: [CMD, "true"]}, expose: [5432]}\n',
    [
      '3:12 SC1066 (warning) service `web` has a fixed `container_name`, so docker-rollout cannot double it: it is rolled by the native driver',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\ncache: {remote: cache.example.com}\n',
    undefined,
    [
      '2:17 SC1075 the address of `cache.remote` is no URL: expected `https://…`, `http://…`, `oci://registry/repository` or `s3://bucket/prefix`',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\ncache: {remote: "s3://B/x"}\n',
    undefined,
    ['2:17 SC1075 the address of `cache.remote` names no bucket: expected `s3://bucket/prefix`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\ncache: {remote: "https://ci:hunter22@cache.example.com"}\n',
    undefined,
    [
      '2:17 SC1076 the address of `cache.remote` holds a password, and the manifest is committed | set STAGECRAFT_REMOTE_CACHE_TOKEN, or the whole address as STAGECRAFT_REMOTE_CACHE',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1]}}\nservices: {web: {route: shop.example.com}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['3:25 SC1140 the port of service `web` is not known: its `route` needs one | say it with `services.web.port`, or in its `route`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1]}}\nservices: {web: {route: shop.example.com}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}, network_mode: host, expose: [80]}}\n',
    ['3:25 SC1141 service `web` has a `route` and `network_mode`: the proxy reaches containers through a network of theirs'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1]}}\nservices: {web: {route: {domains: a.example.com, assets: {path: /assets, directory: /srv}}}}\nedge: traefik\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}, expose: [80]}}\n',
    ['3:50 SC1142 `traefik` cannot answer from files, so `assets` needs `edge: caddy` → edge: caddy'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nservices: {web: {route: a.example.com}, api: {route: a.example.com}}\nenvironments: {prod: {hosts: [h1]}}\n',
    'services: {web: {image: nginx, expose: [80], healthcheck: {test: [CMD, "true"]}}, api: {image: nginx, expose: [80], healthcheck: {test: [CMD, "true"]}}}\n',
    ['2:12 SC1143 services `api` and `web` both answer `a.example.com/`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1], edge: {inner_addresses: {x: 10.0.0.1}}}}\nservices: {web: {route: a.example.com}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}, expose: [80]}}\n',
    ['2:61 SC1144 there is no host `x`, only `h1`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1], hooks: {before_rollout: false}}}\n',
    undefined,
    ['2:44 SC1150 there is no hook `before_rollout` to take away | the manifest has no top-level `hooks`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1], hooks: {after_rollout: {command: a, on: wep}}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['2:76 SC1151 there is no service `wep` to run it in → web | there is `web`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hosts: [h1], hooks: {"before_build:wep": a}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['2:44 SC1151 there is no `build:wep` | there is no build in `prod`'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhooks: {before_build: {command: a, on: web}}\n',
    undefined,
    [
      '2:40 SC1152 `before_build` cannot run in a container of the release | the new release is not there yet: leave out `on`, and it runs on this machine',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nhooks: {after_rollout: {command: a, on: web, secrets: [TOKEN]}}\n',
    undefined,
    [
      '2:46 SC1152 a hook in a container cannot be given secrets | it has those of its service, and takes no others into a container: leave out `on`, and it runs on this machine',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {}}\n',
    'services: {web: {build: {context: "${SIDE:?}"}, healthcheck: {test: [CMD, "true"]}}}\n',
    ['1:35 SC1096 `services.web.build.context` needs `SIDE`, which has no value | set it in `environments.prod.variables`'],
  ],
  [
    'project: {name: shop}\nenvironments: {prod: {transfer: ssh, hosts: [10.0.0.1]}}\n',
    'services: {web: {build: {context: ., platforms: [linux/amd64, linux/arm64]}, healthcheck: {test: [CMD, "true"]}}}\n',
    [
      '1:12 SC1097 service `web` is built for 2 platforms, which only a registry can hold together | keep the one of the hosts, or remove `transfer: ssh`',
    ],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\nenvironments: {prod: {hooks: {after_rollout: a}}}\n',
    'services: {web: {image: web, healthcheck: {test: [CMD, "true"]}}}\n',
    ['2:31 SC1152 `after_rollout` never comes: environment `prod` has no hosts'],
  ],
  [
    'project: {name: shop, registry: ghcr.io/acme/shop}\ntasks: {a: {command: x, variables: {API_TOKEN: hunter22}}}\n',
    undefined,
    [
      '2:37 SC1107 (warning) `API_TOKEN` looks like a secret, but what the task prints of it would be shown | name it in `secrets` instead of `variables`, or in `pass_env` if a new value should not run the task again',
    ],
  ],
]

for (const [manifest, compose, said] of cases) {
  test(said.join('; '), async () => {
    if (compose === undefined) assert.equal(aboutConfig(manifest), said)
    else assert.equal(told(diagnosticsOf(await resolved(manifest, compose))), said)
  })
}

test('SC1070 there is neither a Compose file nor a Dockerfile here', () =>
  inTemporaryDirectory(async (cwd) => {
    const { code, stderr } = await stagecraft(['init', '--host', 'deploy@203.0.113.7', '--non-interactive'], { cwd })
    assert.is(code, 1)
    assert.is(
      stderr,
      'error[SC1070]: there is neither a Compose file nor a Dockerfile here\n   = note: services, their images and ports are read from it: write a `docker-compose.yml`, and run `stagecraft init` again\n\n1 error\n',
    )
  }))

test('SC1090 an environment file that went away, or cannot be read', () =>
  inTemporaryDirectory(async (directory) => {
    const about = async (envFile: string) => {
      const error = await rejects(
        loadSecrets({ envFile, names: [], processEnv: {}, projectDirectory: directory, key: '', parseDotenv: () => ({}) }),
      )
      return error instanceof InputError ? told(error.diagnostics) : [String(error)]
    }
    const absent = join(directory, '.env.prod')
    assert.equal(await about(absent), [`- SC1090 env_file \`${absent}\` does not exist`])
    assert.equal(await about(directory), [
      `- SC1090 env_file \`${directory}\` cannot be read: EISDIR: illegal operation on a directory, read`,
    ])
  }))

/** Codes of whole messages in the tests of configuration, as `told` writes them: with their place, or `-`. */
function comparedWhole(): Map<string, number> {
  const found = new Map<string, number>()
  for (const path of filesBelow('test/src/config', '.test.ts'))
    for (const [, code = ''] of textOf(path).matchAll(/['"`](?:(?:-|(?:[\w./-]+:)?\d+:\d+) )?(SC\d{4})(?: \(warning\))? \S/g))
      found.set(code, (found.get(code) ?? 0) + 1)
  for (const [, code = ''] of textOf('test/src/config/every-rule.test.ts').matchAll(/^test\('(SC\d{4}) /gm))
    found.set(code, (found.get(code) ?? 0) + 1)
  return found
}

test('every code of the manifest and the Compose file has a breach whose whole message is compared', () => {
  const codes = [...textOf('spec/diagnostics.md').matchAll(/^\| (SC1\d{3}) /gm)].map(([, code = '']) => code)
  const found = comparedWhole()
  assert.ok(codes.length > 60)
  assert.equal(
    codes.filter((code) => !found.has(code)),
    [],
  )
})

test('there are cases enough', () => {
  const count = [...comparedWhole().values()].reduce((sum, one) => sum + one, 0)
  assert.ok(count >= 200, String(count))
})

test('everything that is wrong is told at once, in the order of lines', () => {
  const text =
    'project: {nme: a, name: Shop}\nservices: {web: {replicas: 0, bild: x}}\nbackend: {}\nenvironments: {Prod: {}, dev: {rollot: {}}}\n'
  assert.equal(aboutConfig(text), [
    '1:11 SC1003 unknown key `nme` in project → name',
    '1:25 SC1011 expected lower-case letters, digits, `-` and `_`, beginning with a letter or digit in project.name, found `Shop`',
    '2:28 SC1011 expected at least 1 in services.web.replicas, found `0`',
    '2:31 SC1003 unknown key `bild` in services.web → build',
    '3:1 SC1014 `backend.provider` is required | there is `encore-ts`, `generic`',
    '4:16 SC1011 expected lower-case letters, digits, `-` and `_`, beginning with a letter or digit in environments, found `Prod`',
    '4:32 SC1003 unknown key `rollot` in environments.dev → rollout',
  ])
})

test.run()
