import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { backendProviders } from '../../../src/providers/backend/index.ts'
import { builtInProviders } from '../../../src/providers/built-in.ts'
import { frontendProviders } from '../../../src/providers/frontend/index.ts'
import { migrationEngines } from '../../../src/providers/migration/index.ts'
import type { Provider } from '../../../src/providers/provider.ts'
import { ProviderRegistry, RegistryError } from '../../../src/providers/registry.ts'

const test = suite('providers/registry')

const provider = (id: string): Provider => ({ role: 'backend', id, summary: id, config: z.strictObject({}) })

function caught(work: () => unknown): RegistryError {
  try {
    work()
  } catch (error) {
    assert.instance(error, RegistryError)
    return error as RegistryError
  }
  throw new Error('expected a RegistryError')
}

test('providers are listed by id, whatever the order of registration', () => {
  const registry = new ProviderRegistry('backend', [provider('b'), provider('a')])
  registry.register(provider('c'))
  assert.equal(registry.ids(), ['a', 'b', 'c'])
  assert.equal(
    registry.list().map(({ id }) => id),
    ['a', 'b', 'c'],
  )
  assert.equal([registry.has('b'), registry.has('x'), registry.get('b').id], [true, false, 'b'])
})
test('an id is taken once', () => {
  const error = caught(() => new ProviderRegistry('backend', [provider('a'), provider('a')]))
  assert.equal(
    [error.code, error.role, error.id, error.message],
    ['duplicate_provider', 'backend', 'a', 'backend provider `a` is registered twice'],
  )
})
test('an id is not empty', () => {
  const error = caught(() => new ProviderRegistry('frontend', [provider(' ')]))
  assert.equal([error.code, error.message], ['empty_provider_id', 'a frontend provider has an empty id'])
})
test('an unknown id is an error that names role and id', () => {
  const error = caught(() => new ProviderRegistry<Provider>('migration').get('dbmate'))
  assert.equal([error.code, error.message], ['unknown_provider', 'there is no migration provider `dbmate`'])
})
test('hooks hear of registrations and look-ups', () => {
  const heard: unknown[] = []
  const registry = new ProviderRegistry<Provider>('backend', [], {
    onRegistered: (role, id) => heard.push(['registered', role, id]),
    onLookup: (role, id, found) => heard.push(['looked up', role, id, found]),
  })
  registry.register(provider('a'))
  registry.get('a')
  caught(() => registry.get('b'))
  assert.equal(heard, [
    ['registered', 'backend', 'a'],
    ['looked up', 'backend', 'a', true],
    ['looked up', 'backend', 'b', false],
  ])
})
test('one set of registries knows nothing of another', () => {
  const [one, other] = [builtInProviders(), builtInProviders()]
  one.migration.register({ ...provider('dbmate'), role: 'migration' })
  assert.equal(
    [one.migration.ids(), other.migration.ids()],
    [
      ['command', 'dbmate', 'drizzle', 'knex', 'prisma', 'raw'],
      ['command', 'drizzle', 'knex', 'prisma', 'raw'],
    ],
  )
})
test('every built-in stands under its role, with a line about itself', () => {
  const all = [...backendProviders, ...frontendProviders, ...migrationEngines]
  assert.equal(
    all.map(({ role, id }) => `${role} ${id}`),
    [
      ...['backend encore-ts', 'backend generic', 'frontend generic'],
      ...['command', 'drizzle', 'knex', 'prisma', 'raw'].map((id) => `migration ${id}`),
    ],
  )
  assert.ok(all.every(({ summary }) => summary.length > 0))
})

test.run()
