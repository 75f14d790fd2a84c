import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCompose, parseCompose } from '../../../src/config/compose-file.ts'
import { normalService } from '../../../src/config/compose-normal.ts'
import { aboutCompose, accepted, diagnosticsOf, told } from './told.ts'

const test = suite('config/compose-file')

const parse = async (text: string) => accepted(await parseCompose(text, '/project/docker-compose.yml', { shownAs: 'docker-compose.yml' }))

test('an absent file is named, with the one that is there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'stagecraft-compose-'))
  try {
    await writeFile(join(directory, 'compose.yaml'), 'services: {web: {image: a}}')
    assert.equal(told(diagnosticsOf(await loadCompose(join(directory, 'docker-compose.yml'), { shownAs: 'docker-compose.yml' }))), [
      '- SC1001 `docker-compose.yml` does not exist | `compose.yaml` is there: set `project.compose_file` to use it',
    ])
    const file = accepted(await loadCompose(join(directory, 'compose.yaml')))
    assert.equal([file.path, file.directory, file.file], [join(directory, 'compose.yaml'), directory, join(directory, 'compose.yaml')])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
test('a directory is not a Compose file', async () => {
  assert.equal(told(diagnosticsOf(await loadCompose(tmpdir(), { shownAs: 'here' }))), ['- SC1002 `here` is a directory, expected a file'])
})
test('services are sorted and what may be written in several ways has one form', async () => {
  const { services } = await parse(`
services:
  web:
    build: ./web
    environment: [A=1, B, C=x=y, D=]
    depends_on: [db, cache]
    ports: ["80:80"]
    volumes: [data:/data]
  cache: { image: redis, environment: { N: 1, T: true, Z: null, O: 0644 } }
  db: { image: postgres, depends_on: { cache: { condition: service_healthy } } }
`)
  assert.equal(
    services.map(({ name }) => name),
    ['cache', 'db', 'web'],
  )
  assert.equal(services[0]?.definition['environment'], { N: '1', T: 'true', Z: null, O: '420' })
  assert.equal(services[1]?.definition['depends_on'], { cache: { condition: 'service_healthy' } })
  assert.equal(services[2]?.definition, {
    build: { context: './web' },
    environment: { A: '1', B: null, C: 'x=y', D: '' },
    depends_on: { db: { condition: 'service_started' }, cache: { condition: 'service_started' } },
    ports: ['80:80'],
    volumes: ['data:/data'],
  })
})
test('normalising twice is normalising once', () => {
  const text = fc.string()
  const definition = fc.record(
    {
      environment: fc.oneof(fc.array(text), fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)))),
      build: fc.oneof(text, fc.record({ context: text })),
      depends_on: fc.oneof(fc.array(text), fc.dictionary(text, fc.record({ condition: text }))),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(definition, (given) => {
      const once = normalService(given)
      assert.equal(normalService(once), once)
    }),
  )
})
test('anchors and merge keys are resolved, variables are left alone', async () => {
  const { services, topLevel } = await parse(`
x-common: &common
  restart: always
  environment: &env { LEVEL: "\${LEVEL:-info}" }
services:
  web: { <<: *common, image: "web:$TAG", environment: { <<: *env, PORT: 80 } }
`)
  assert.equal(services[0]?.definition, {
    image: 'web:$TAG',
    environment: { PORT: '80', LEVEL: '${LEVEL:-info}' },
    restart: 'always',
  })
  assert.equal(Object.keys(topLevel), ['x-common'])
})
test('of the top level, what a deployment needs is kept', async () => {
  const { topLevel } = await parse(
    'version: "3"\nname: local\nservices: {a: {image: a}}\nvolumes: {data: }\nnetworks: {out: {external: true}}\nconfigs: {c: {file: ./c}}\nsecrets: {s: {environment: S}}\nx-team: ops',
  )
  assert.equal(topLevel, {
    volumes: { data: null },
    networks: { out: { external: true } },
    configs: { c: { file: './c' } },
    secrets: { s: { environment: 'S' } },
    'x-team': 'ops',
  })
})
test('a variable may stand where a number is expected', async () => {
  assert.equal(
    await aboutCompose('services: {a: {image: a, healthcheck: {retries: "${N}", disable: "$OFF"}, stop_grace_period: "${G}"}}'),
    [],
  )
})

const faults: readonly (readonly [text: string, ...expected: string[]])[] = [
  ['', '1:1 SC1009 expected a map, found nothing'],
  ['name: x', '1:1 SC1010 `services` is required'],
  ['services: {}', '1:1 SC1011 expected at least one service in services, found an empty map'],
  ['services: {web: }', '1:12 SC1009 expected a map in services.web, found nothing'],
  ['servces: {}', '1:1 SC1003 unknown key `servces` → services', '1:1 SC1010 `services` is required'],
  ['services: {a: {imge: x}}', '1:16 SC1003 unknown key `imge` in services.a → image'],
  ['services: {a b: {image: x}}', '1:12 SC1003 unknown key `a b` in services'],
  ['services: {a: {image: 3}}', '1:23 SC1009 expected text in services.a.image, found `3`'],
  ['services: {a: {image: a, environment: 3}}', '1:39 SC1009 expected a map or a list in services.a.environment, found `3`'],
  [
    'services: {a: {image: a, environment: {A: [1]}}}',
    '1:40 SC1009 expected text or a number or `true` or `false` or nothing in services.a.environment.A, found a list',
  ],
  ['services: {a: {image: a, ports: [{targt: 1}]}}', '1:35 SC1003 unknown key `targt` in services.a.ports[0] → target'],
  ['services: {a: {image: a, ports: ["80:80", "80:80"]}}', '1:43 SC1011 `80:80` is given twice in services.a.ports'],
  ['services: {a: {image: a, depends_on: {b: {}}}}', '1:39 SC1010 `services.a.depends_on.b.condition` is required'],
  [
    'services: {a: {image: a, depends_on: {b: {condition: service_helthy}}}}',
    '1:54 SC1011 expected `service_started`, `service_healthy` or `service_completed_successfully` in services.a.depends_on.b.condition, found `service_helthy` → service_healthy',
  ],
  ['services: {a: {image: a, oom_score_adj: 2000}}', '1:41 SC1011 expected at most 1000 in services.a.oom_score_adj, found `2000`'],
  ['services: {a: {image: a, oom_score_adj: -2000}}', '1:41 SC1011 expected at least -1000 in services.a.oom_score_adj, found `-2000`'],
  ['include: [other.yml]\nservices: {a: {image: a}}', '1:11 SC1001 `other.yml` does not exist'],
  ['services: {a: {extends: {service: b}}}', '1:16 SC1092 there is no service `b` to extend in this file | it has `a`'],
  ['services: {a: {provider: {type: x}}}', '1:16 SC1012 `services.a.provider` is not supported by this version'],
  [
    'services: {a: {image: a, post_start: [{command: x}]}}',
    '1:26 SC1012 `services.a.post_start` is not supported by this version | Compose runs it when it starts or stops a container itself; here the Engine API does',
  ],
  [
    'services: {a: {image: a, pre_stop: [{command: x}]}}',
    '1:26 SC1012 `services.a.pre_stop` is not supported by this version | Compose runs it when it starts or stops a container itself; here the Engine API does',
  ],
  ['services: {a: {image: a, deploy: {mode: global}}}', '1:41 SC1012 `services.a.deploy.mode: global` is not supported by this version'],
  [
    'services: {a: {image: a, depends_on: {b: {condition: service_completed_successfully}}}}',
    '1:54 SC1012 `services.a.depends_on.b.condition: service_completed_successfully` is not supported by this version | migrations belong in `databases.<name>.migrations` of the manifest, other steps in `hooks`',
  ],
  ['services:\n  a: {image: a}\n  a: {image: b}', '3:3 SC1006 key `a` is given twice | first given here'],
  ['services: [', '1:12 SC1005 invalid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
]
for (const [text, ...expected] of faults) {
  test(expected.join(' and '), async () => assert.equal(await aboutCompose(text), expected))
}

test('no text makes it throw', async () => {
  const piece = fc.constantFrom(
    ...'a:-{}[]&*"\n\t ,0'.split(''),
    'services',
    'image',
    'ports',
    'build',
    '<<: ',
    '  ',
    '- ',
    '&x ',
    '*x',
    '$',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 50 }), async (pieces) => {
      await aboutCompose(pieces.join(''))
    }),
    { numRuns: 300 },
  )
})

test.run()
