import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ImageBuild } from '../../../src/contracts.ts'
import { accepted, diagnosticsOf, resolved, told } from './told.ts'

const test = suite('config/image-build')

const plain = {
  args: {},
  platforms: [],
  secrets: {},
  ssh: [],
  additionalContexts: {},
  cacheFrom: [],
  labels: {},
}

async function build(config: string, compose: string): Promise<ImageBuild | undefined> {
  return accepted(await resolved(config, compose)).services[0]?.build
}
const local = 'project: {name: shop}\nenvironments: {prod: {}}\n'

test('everything Compose can say of a build is kept, as paths of the project', async () => {
  const compose = `services:
  web:
    image: ghcr.io/acme/\${PART:-web}:\${TAG:?no tag}
    platform: linux/arm64
    build:
      context: ../app
      dockerfile: docker/Dockerfile
      target: run
      args: [A=1, FROM_OUTSIDE]
      labels: { owner: me }
      secrets: [token, { source: key, target: id_key }]
      ssh: [default, other=~/.ssh/other]
      additional_contexts: { assets: ../assets, base: "docker-image://alpine:3" }
      cache_from: [ghcr.io/acme/web:cache]
secrets:
  token: { environment: TOKEN }
  key: { file: ./key }
`
  assert.equal(await build('project: {name: shop, compose_file: deploy/compose.yaml}\nenvironments: {prod: {}}\n', compose), {
    repository: 'ghcr.io/acme/web',
    context: 'app',
    dockerfile: 'app/docker/Dockerfile',
    target: 'run',
    args: { A: '1', FROM_OUTSIDE: '${FROM_OUTSIDE}' },
    platforms: ['linux/arm64'],
    secrets: { token: { environment: 'TOKEN' }, id_key: { file: 'deploy/key' } },
    ssh: ['default', 'other=~/.ssh/other'],
    additionalContexts: { assets: 'assets', base: 'docker-image://alpine:3' },
    cacheFrom: ['ghcr.io/acme/web:cache'],
    labels: { owner: 'me' },
  })
})
test('platforms of the build go before the platform of the service', async () => {
  const compose = 'services: {web: {platform: linux/arm64, build: {context: ., platforms: [linux/amd64, linux/arm64]}}}'
  assert.equal((await build(local, compose))?.platforms, ['linux/amd64', 'linux/arm64'])
})
test('without registry an image is called after the project', async () => {
  assert.equal(await build(local, 'services: {web: {build: ./web}}'), {
    repository: 'shop-web',
    context: 'web',
    dockerfile: 'web/Dockerfile',
    ...plain,
  })
})
test('a variable of the environment may be part of the name of an image', async () => {
  const config = local.replace('{}}', '{variables: {REGISTRY: "r.example.com:5000"}}}')
  assert.is((await build(config, 'services: {web: {build: ., image: "$REGISTRY/web:$TAG"}}'))?.repository, 'r.example.com:5000/web')
})
test('a provider block builds the service that says so', async () => {
  const config = `project: {name: shop, registry: r.example.com/shop}
backend: { provider: generic, providers: { generic: { build: { context: ./api, target: t, args: { A: b }, labels: { l: m }, platform: linux/amd64 } } } }
frontend: { provider: generic, providers: { generic: { build: {} } } }
services: { api: { build: backend }, web: { build: frontend }, db: { build: none } }
environments: { prod: { hosts: [a] } }
`
  const checked = await resolved(config, 'services: {api: {build: ignored}, web: {image: r.example.com/other}, db: {build: ., image: pg}}')
  const [api, db, web] = accepted(checked).services
  assert.equal(api?.build, {
    ...plain,
    repository: 'r.example.com/shop/api',
    context: 'api',
    dockerfile: 'api/Dockerfile',
    target: 't',
    args: { A: 'b' },
    labels: { l: 'm' },
    platforms: ['linux/amd64'],
  })
  assert.equal(web?.build, { ...plain, repository: 'r.example.com/other', context: '.', dockerfile: 'Dockerfile' })
  assert.is(db?.build, undefined)
  assert.equal(
    told(diagnosticsOf(checked)).filter((message) => !message.includes('SC1060')),
    [],
  )
})

test.run()
