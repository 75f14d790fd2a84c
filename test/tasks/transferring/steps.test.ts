import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isSent, sentDigest, sentReference } from '../../../tasks/transferring/names.ts'
import { layersThere, partConfig, sizeText, steps } from '../../../tasks/transferring/steps.ts'

const test = suite('tasks/transferring/steps')

test('only layers upon the same layers are there', () => {
  const cases: readonly (readonly [stacks: readonly string[], there: number])[] = [
    [[], 0],
    [['abc'], 3],
    [['ab', 'abx'], 2],
    [['abcd'], 3],
    [['xbc', 'bc', 'c'], 0],
    [['x', 'a'], 1],
  ]
  for (const [stacks, there] of cases) {
    const letters = stacks.map((stack) => [...stack])
    assert.is(layersThere(['a', 'b', 'c'], letters), there, stacks.join(' '))
  }
})

test('steps rise to all layers, and every one but the last sends at least 8 MiB', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20_000_000 }), { maxLength: 12 }), fc.nat(12), (sizes, given) => {
      const there = Math.min(given, sizes.length)
      const layers = sizes.map((_, index) => `layer ${index}`)
      const packed = new Map(sizes.map((packedBytes, index) => [`layer ${index}`, { packedBytes }]))
      const ends = steps(layers, there, packed)
      assert.is(ends.at(-1), layers.length)
      let start = there
      for (const end of ends.slice(0, -1)) {
        assert.ok(end > start && end < layers.length)
        assert.ok(sizes.slice(start, end).reduce((sum, bytes) => sum + bytes, 0) >= 8 * 1024 * 1024)
        start = end
      }
    }),
  )
})

test('a part is an image of the same platform, of fewer layers', () => {
  const config = Buffer.from(JSON.stringify({ architecture: 'arm64', os: 'linux', variant: 'v8', config: { Env: ['A=b'] }, history: [] }))
  assert.equal(JSON.parse(partConfig(config, ['sha256:a']).toString()), {
    architecture: 'arm64',
    os: 'linux',
    variant: 'v8',
    config: {},
    rootfs: { type: 'layers', diff_ids: ['sha256:a'] },
  })
})

test('sizes as people say them', () => {
  assert.equal([1, 640_000, 1_234_567, 2_300_000_000].map(sizeText), ['1 kB', '640 kB', '1.2 MB', '2.3 GB'])
})

test('a name leads to the digest it says, unless the image behind it is another', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const tags = ['web:sc-1', sentReference('web', digest)]
  assert.is(sentDigest([{ id: digest, tags, digests: [] }], 'web', 'web:sc-1'), digest)
  assert.is(sentDigest([{ id: 'sha256:other', tags, digests: [] }], 'web', 'web:sc-1'), undefined)
  assert.is(sentDigest([{ id: digest, tags: ['web:sc-1'], digests: [] }], 'web', 'web:sc-1'), undefined)
  assert.is(sentDigest([], 'web', 'web:sc-1'), undefined)
  assert.not(isSent({ id: digest, tags, digests: [] }, 'other', digest))
})

test.run()
