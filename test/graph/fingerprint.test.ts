import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { digestOf, digestOfJson, digestOfResult, fingerprint } from '../../graph/fingerprint.ts'
import type { Action, ActionResult, Digest, Json, TaskId } from '../../graph/types.ts'

const test = suite('graph/fingerprint')

const action: Action = {
  kind: 'build',
  version: 1,
  params: { image: 'shop', args: { b: 1, a: [true, null] } },
  env: { DOCKER: '29' },
  secrets: { TOKEN: 'aa' },
  files: { 'a.ts': '11', 'b.ts': '22+x' },
  needs: { ['render:n' as TaskId]: 'dd' as Digest },
}

/** The same value with every object's keys in the opposite order. */
function turned<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map(turned) as unknown as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, turned(member)]),
  ) as T
}

test('a digest is the SHA-256 of the bytes', () => {
  assert.is(digestOf('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  assert.is(digestOf(Buffer.from('abc')), digestOf('abc'))
})

test('the key of a known action stays what it is, or every cache in the world goes cold', () => {
  assert.is(fingerprint(action), '75c8e4466b1891bf2520084fd762a489977e85954aa2647c1a622fbc698b0b33')
})

test('the order of keys does not matter, at any depth', () => {
  const key = fc.string().filter((name) => name !== '__proto__')
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(key, tie('json'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(
    fc.property(json, (params) => {
      assert.is(fingerprint(turned({ ...action, params } as unknown as Json) as unknown as Action), fingerprint({ ...action, params }))
      assert.is(digestOfJson(turned(params)), digestOfJson(params))
    }),
  )
})

const variations: readonly Partial<Action>[] = [
  { kind: 'push' },
  { version: 2 },
  { params: { image: 'shop', args: { b: 1, a: [null, true] } } },
  { params: null },
  { env: { DOCKER: '30' } },
  { env: { PODMAN: '29' } },
  { env: {} },
  { secrets: { TOKEN: 'bb' } },
  { files: { 'a.ts': '11', 'b.ts': '22' } },
  { files: { 'a.ts': '22+x', 'b.ts': '11' } },
  { files: { 'a.ts': '11' } },
  { needs: { ['render:n' as TaskId]: 'ee' as Digest } },
  { needs: { ['render:m' as TaskId]: 'dd' as Digest } },
]

test('every field changes it, and no two variations meet', () => {
  assert.equal(new Set(variations.flatMap((variation) => Object.keys(variation))), new Set(Object.keys(action)))
  const keys = [action, ...variations.map((variation) => ({ ...action, ...variation }))].map(fingerprint)
  assert.is(new Set(keys).size, keys.length)
})

test('a value that moves from one field to another is a different action', () => {
  assert.is.not(fingerprint({ ...action, env: { X: '1' }, secrets: {} }), fingerprint({ ...action, env: {}, secrets: { X: '1' } }))
})

test('a result is known by its files and values alone', () => {
  const result: ActionResult = { files: { out: { digest: 'aa' as Digest, executable: false } }, values: { image: 'sha256:1', port: 80 } }
  assert.is(digestOfResult(turned(result as unknown as Json) as unknown as ActionResult), digestOfResult(result))
  assert.is(digestOfResult({ ...result, startedAt: 1 } as ActionResult), digestOfResult(result))
  assert.is.not(digestOfResult({ ...result, files: { out: { digest: 'aa' as Digest, executable: true } } }), digestOfResult(result))
  assert.is.not(digestOfResult({ ...result, values: { image: 'sha256:1' } }), digestOfResult(result))
})

test.run()
