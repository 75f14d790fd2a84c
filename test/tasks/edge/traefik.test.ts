import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '../../../graph/types.ts'
import { serversIn } from '../../../tasks/edge/traefik-api.ts'
import { traefikRoute } from '../../../tasks/edge/traefik-route.ts'
import { traefikApiRoute, traefikStatic } from '../../../tasks/edge/traefik-static.ts'
import { renderYaml } from '../../../tasks/edge/yaml.ts'
import { golden } from '../../support/golden.ts'
import { sampleRoute, sampleRoutes, sampleSecrets } from '../../support/routes.ts'

const test = suite('tasks/edge/traefik')
const upstreams = [
  { name: 'shop-prod-web-2', port: 8080 },
  { name: 'shop-prod-web-1', port: 8080 },
]
const written = (route: Parameters<typeof sampleRoute>[0]) =>
  traefikRoute(sampleRoute({ provider: 'traefik', ...route }), sampleSecrets, upstreams)
const statics = {
  plain: traefikStatic({ ports: [8079], gateways: [], accounts: [] }),
  full: traefikStatic({
    ports: [8079, 9000],
    gateways: ['10.0.0.1'],
    accounts: ['ops@example.com', ' https://ca.example.com/dir', 'ops@example.com https://ca.example.com/dir'],
  }),
}

for (const [title, route] of sampleRoutes) {
  test(`the file of a service: ${title}`, () => golden(`edge/traefik-${title}.yml`, renderYaml(written(route))))
}
test('the file Traefik starts with', () => golden('edge/traefik-static.yml', renderYaml(statics.full)))

const schemas = process.env['STAGECRAFT_SCHEMAS']
if (schemas === undefined) process.stdout.write('skipped: STAGECRAFT_SCHEMAS names no folder with traefik-v3.json\n')
else {
  const validator = (file: string) => {
    const schema = JSON.parse(readFileSync(join(schemas, file), 'utf8')) as JsonObject
    const { $schema: _, ...rest } = schema
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(rest)
    return (value: JsonObject) => {
      assert.ok(validate(value), JSON.stringify(validate.errors, null, 1))
    }
  }
  const isDynamic = validator('traefik-v3-file-provider.json')
  const isStatic = validator('traefik-v3.json')
  for (const [title, route] of sampleRoutes) test(`Traefik’s schema allows the route: ${title}`, () => isDynamic(written(route)))
  test('Traefik’s schema allows the API’s route', () => isDynamic(traefikApiRoute()))
  for (const [title, value] of Object.entries(statics)) test(`Traefik’s schema allows what it starts with: ${title}`, () => isStatic(value))
}

for (const [title, body, expected] of [
  ['sorted', '{"status":"enabled","loadBalancer":{"servers":[{"url":"http://b"},{"url":"http://a"}]}}', 'http://a http://b'],
  ['none', '{"status":"enabled","loadBalancer":{}}', ''],
  ['broken', '{"status":"disabled"}', 'a service that is disabled'],
  ['not JSON', '404 page not found', 'an answer that is no JSON'],
] as const) {
  test(`servers Traefik says it has: ${title}`, () => assert.is(serversIn(body), expected))
}

test.run()
