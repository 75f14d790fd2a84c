import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployment } from '../../../src/contracts.ts'
import { deployTasks } from '../../../src/pipelines/deploy.ts'
import { type FleetWords, fleetPart } from '../../../src/session/fleet-words.ts'
import { farewells } from '../../../src/session/left-hosts.ts'
import { accepted, diagnosticsOf, resolved, told } from '../config/told.ts'

const test = suite('session/fleet-words')

const config = `project: {name: shop, registry: ghcr.io/acme/shop}
hosts: {app: [h1, h2, h3], db: [{address: 10.0.0.9, name: d1}]}
services: {api: {role: app}, web: {role: app}, db: {role: db}}
environments: {prod: {}}
`
const compose = 'services: {api: {build: ./api}, web: {build: ./web, depends_on: [db]}, db: {image: postgres, expose: [5432]}}\n'

async function tasks(words: FleetWords): Promise<readonly string[]> {
  const deployment: Deployment = accepted(await resolved(config, compose))
  const part = accepted(fleetPart(words, deployment))
  const made = deployTasks(deployment, { version: 'v', envFileNames: [], buildArgs: {}, ignoreFiles: {}, ...(part ? { part } : {}) })
  const finalize = made.find(({ kind }) => kind === 'finalize')?.params as { readonly only?: readonly string[] }
  return [...made.map(({ id }) => id).filter((id) => /^(render|rollout)/.test(id)), `only ${finalize.only ?? 'everything'}`]
}

test('without words it is the whole fleet', async () => {
  assert.is((await tasks({})).length, 4 + 7 + 1)
  assert.is((await tasks({})).at(-1), 'only everything')
})

for (const [title, words, expected] of [
  ['one host', { host: ['h2'] }, ['render:h2', 'rollout:api@h2', 'rollout:web@h2', 'only api,db,web']],
  ['a role', { role: ['db'] }, ['render:d1', 'rollout:db@d1', 'only api,db,web']],
  [
    'one service',
    { services: ['web'] },
    ['render:h1', 'render:h2', 'render:h3', 'rollout:web@h1', 'rollout:web@h2', 'rollout:web@h3', 'only web'],
  ],
  [
    'hosts of a role that are also named',
    { host: ['h2', 'd1'], role: ['app'] },
    ['render:h2', 'rollout:api@h2', 'rollout:web@h2', 'only api,db,web'],
  ],
  ['a service on a host', { host: ['h1'], services: ['api'] }, ['render:h1', 'rollout:api@h1', 'only api']],
  [
    'all but those that do not answer',
    { unreachable: ['h2', 'd1'] },
    ['render:h1', 'render:h3', 'rollout:api@h1', 'rollout:api@h3', 'rollout:web@h1', 'rollout:web@h3', 'only api,db,web'],
  ],
] as const) {
  test(title, async () => assert.equal([...(await tasks(words))], expected))
}

for (const [words, expected] of [
  [{ host: ['h4'] }, '- SC3160 no host is called `h4`: expected one of d1, h1, h2, h3 → d1'],
  [{ role: ['cache'] }, '- SC3160 no role is called `cache`: expected one of app, db'],
  [{ services: ['wbe'] }, '- SC3160 no service is called `wbe`: expected one of api, db, web → web'],
  [{ host: ['h1'], role: ['db'] }, '- SC3131 nothing is deployed there: none of these services runs on any of these hosts'],
  [{ host: ['h1'], services: ['db'] }, '- SC3131 nothing is deployed there: none of these services runs on any of these hosts'],
] as const) {
  test(`refused: ${JSON.stringify(words)}`, async () => {
    const [line = ''] = told(diagnosticsOf(fleetPart(words, accepted(await resolved(config, compose)))))
    assert.ok(line.startsWith(expected.replace(/ → .*/, '')), line)
  })
}

test('a host that left is named with how to clean it; one with another name only is still there', async () => {
  const deployment = accepted(await resolved(config, compose))
  assert.equal(farewells({ h1: 'h1', old: 'h2', gone: '10.0.0.7' }, deployment), [
    'gone (10.0.0.7) is no longer a host of prod; what runs there stays. To clean up, run on it: docker compose --project-name shop-prod down && rm -r /opt/stagecraft/shop/prod',
  ])
})

test.run()
