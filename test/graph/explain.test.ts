import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compareActions, explainChange } from '../../graph/explain.ts'
import type { Action, Digest, JsonObject, TaskId } from '../../graph/types.ts'

const test = suite('graph/explain')

const before: Action = {
  kind: 'build',
  version: 1,
  params: { image: 'shop', args: { NODE_ENV: 'production' }, platforms: ['linux/amd64'], labels: { 'a.b': '1' } },
  env: { DOCKER: '29.1' },
  secrets: { NPM_TOKEN: 'aa' },
  files: { 'src/server.ts': 'f1', 'src/client.ts': 'f2' },
  needs: { ['render:node-1' as TaskId]: 'd1' as Digest },
}
const params = (changes: JsonObject): Partial<Action> => ({ params: { ...(before.params as JsonObject), ...changes } })

const cases: readonly (readonly [string, Partial<Action>, string, string])[] = [
  ['one file', { files: { ...before.files, 'src/server.ts': 'f9' } }, 'file', 'src/server.ts changed'],
  ['a new file', { files: { ...before.files, 'src/about.ts': 'f3' } }, 'file', 'src/about.ts added'],
  ['a file that went', { files: { 'src/server.ts': 'f1' } }, 'file', 'src/client.ts removed'],
  ['several files', { files: { 'src/client.ts': 'f8', z: 'f1' } }, 'file', 'src/client.ts changed (+2 more)'],
  ['a nested setting', params({ args: { NODE_ENV: 'test' } }), 'params', 'setting args.NODE_ENV changed'],
  ['a list', params({ platforms: ['linux/amd64', 'linux/arm64'] }), 'params', 'setting platforms[1] added'],
  ['a key with a dot', params({ labels: { 'a.b': '2' } }), 'params', 'setting labels["a.b"] changed'],
  ['params of another shape', { params: 'text' }, 'params', 'its settings added (+4 more)'],
  ['a variable', { env: {} }, 'env', 'variable DOCKER removed'],
  ['a secret', { secrets: { NPM_TOKEN: 'bb' } }, 'secret', 'secret NPM_TOKEN changed'],
  ['a need', { needs: { ['render:node-1' as TaskId]: 'd2' as Digest } }, 'need', 'result of render:node-1 changed'],
  ['a new version of the kind, above all else', { version: 2, files: {} }, 'kind', 'how `build` works changed (+2 more)'],
  ['a setting before a file', { ...params({ image: 'store' }), files: {} }, 'params', 'setting image changed (+2 more)'],
  ['nothing at all', {}, 'absent', 'nothing changed, but its last result is no longer in the cache'],
]
for (const [what, changes, reason, detail] of cases) {
  test(`explains ${what}`, () => {
    assert.equal(explainChange(before, { ...before, ...changes }), { reason, detail })
  })
}

test('a task without a past runs for the first time', () => {
  assert.is(explainChange(undefined, before).reason, 'first-run')
})

test('a comparison names every ingredient in a fixed order, and no values', () => {
  const { params: _, ...rest } = before
  const now: Action = {
    ...rest,
    params: { image: 'store', args: {}, platforms: ['linux/amd64'] },
    env: { DOCKER: '29.1', CI: '1' },
    needs: {},
  }
  assert.equal(
    compareActions(before, now).map(({ part, name, change }) => `${part} ${name} ${change}`),
    [
      'kind build same',
      'params args added',
      'params args.NODE_ENV removed',
      'params image changed',
      'params labels["a.b"] removed',
      'params platforms[0] same',
      'env CI added',
      'env DOCKER same',
      'secret NPM_TOKEN same',
      'file src/client.ts same',
      'file src/server.ts same',
      'need render:node-1 removed',
    ],
  )
  assert.not.match(JSON.stringify(compareActions(before, now)), /production|29\.1/)
})

test('the order of keys is not a change', () => {
  const turned: Action = { ...before, params: Object.fromEntries(Object.entries(before.params as JsonObject).reverse()) }
  assert.ok(compareActions(before, turned).every(({ change }) => change === 'same'))
})

test.run()
