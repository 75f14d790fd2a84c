import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from '../../graph/types.ts'
import { stack } from '../../tasks/stack.ts'
import { type StackParams, stackValues } from '../../tasks/swarm/params.ts'
import { inTemporaryDirectory } from '../support/temporary-directory.ts'
import { MemoryContent, taskContext } from './rendering/task-context.ts'

const test = suite('tasks/stack')

const params = (definition: JsonObject, topLevel: JsonObject = {}, replicas = 1): StackParams => ({
  render: {
    ...{ host: 'm1', project: 'shop', environment: 'prod', composeProject: 'shop-prod', directory: '/opt/stagecraft/shop/prod', topLevel },
    services: { web: { definition: { image: 'web:1', ...definition }, replicas, image: null, ownCode: true } },
    ...{ plain: { PLAIN: 'seen' }, secretNames: ['TOKEN', 'KEY'], envFileNames: ['TOKEN', 'KEY', 'COMPOSE_FILE'], hostEnvFile: null },
  },
  services: { web: { order: 'start-first', monitorSeconds: 5, constraints: [] } },
})

async function rendered(given: StackParams, secrets: Readonly<Record<string, string>> = { TOKEN: 'hush', KEY: 'quiet' }) {
  const content = new MemoryContent()
  let found: Awaited<ReturnType<typeof stack.run>> | undefined
  await inTemporaryDirectory(async (projectDirectory) => {
    writeFileSync(join(projectDirectory, 'motd'), 'hello')
    found = await stack.run(given, taskContext({ content, secrets, projectDirectory }))
  })
  if (found === undefined) throw new Error('nothing was rendered')
  return { result: found, values: stackValues.parse(found.values), content }
}
const container = (spec: JsonObject) => (spec['TaskTemplate'] as { ContainerSpec: JsonObject }).ContainerSpec

test('plain values are filled in, secrets stay placeholders, and no value of one is anywhere', async () => {
  const { result, values } = await rendered(params({ environment: { A: '${PLAIN}', B: '${TOKEN}' } }))
  const web = values.services['web']
  assert.equal(container(web?.spec ?? {})['Env'], ['A=seen', 'B=${TOKEN}'])
  assert.equal(web?.environment, ['KEY', 'TOKEN'])
  assert.not.match(JSON.stringify(result), /hush|quiet/)
})

test('the hash follows what a copy is made from, and not how many there are', async () => {
  const hash = async (given: StackParams, secrets?: Readonly<Record<string, string>>) =>
    (await rendered(given, secrets)).values.services['web']?.hash
  const base = await hash(params({}))
  assert.is(await hash(params({}, {}, 3)), base)
  assert.is.not(await hash(params({ user: '1' })), base)
  assert.is.not(await hash(params({}), { TOKEN: 'other', KEY: 'quiet' }), base)
})

test('files of the project are configs, what is secret is a secret, each by its content', async () => {
  const topLevel = { secrets: { token: { environment: 'TOKEN' } }, configs: { inner: { content: 'key=${KEY}' }, open: { content: 'a' } } }
  const given = params({ volumes: ['./motd:/etc/motd'], secrets: ['token'], configs: ['inner', 'open'] }, topLevel)
  const { values, result, content } = await rendered(given)
  const { spec = {} } = values.services['web'] ?? {}
  const names = (kind: string) =>
    (container(spec)[`${kind}s`] as JsonObject[]).map((one) => [
      String(one[`${kind}Name`]).replace(/_[0-9a-f]{12}$/, ''),
      (one['File'] as JsonObject)['Name'],
    ])
  assert.equal(names('Config'), [
    ['shop-prod_open', '/open'],
    ['shop-prod_motd', '/etc/motd'],
  ])
  assert.equal(names('Secret'), [
    ['shop-prod_inner', '/inner'],
    ['shop-prod_token', '/run/secrets/token'],
  ])
  assert.equal(values.configs.map(({ file }) => content.text(result.files[file]?.digest ?? ('' as never))).sort(), ['a', 'hello'])
  assert.equal(
    values.secrets.map(({ content: made }) => made).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    [{ template: '${TOKEN}' }, { template: 'key=${KEY}' }],
  )
})

test('what is external is known by its name, and networks by theirs', async () => {
  const topLevel = { secrets: { token: { external: true, name: 'theirs' } }, networks: { front: { external: true }, back: {} } }
  const { values } = await rendered(params({ secrets: ['token'], networks: ['front', 'back'] }, topLevel))
  const [secret] = container(values.services['web']?.spec ?? {})['Secrets'] as JsonObject[]
  assert.is(secret?.['SecretName'], 'theirs')
  assert.equal(
    values.networks.map(({ name }) => name),
    ['shop-prod_back', 'front'],
  )
  assert.equal((await rendered(params({}))).values.networks, [{ name: 'shop-prod_default', definition: {} }])
})

test.run()
