import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { otherShare, shareFiles, shareFolder, shares } from '../../../tasks/edge/shares.ts'

const test = suite('tasks/edge/shares')
const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `web-${index + 1}`, port: 80 }))
const ownerOf = (files: readonly string[], share: string) => files.find((file) => file.startsWith(`${share}@`))?.slice(2)

test('one container takes every share with one file', () => assert.equal(shareFiles(named(1)), ['-@web-1:80']))
test('no container, no file', () => assert.equal(shareFiles([]), []))
test('more containers than shares are refused', () => assert.throws(() => shareFiles(named(17)), /17 containers for 16 shares/))

test('every share has one owner, every container a fair part, and no share falls back to its own container', () => {
  void fc.assert(
    fc.property(fc.integer({ min: 2, max: 16 }), (count) => {
      const files = shareFiles(named(count))
      const owners = shares.map((share) => ownerOf(files, share))
      assert.is(new Set(owners).size, count)
      const parts = named(count).map(({ name }) => owners.filter((owner) => owner === `${name}:80`).length)
      assert.ok(Math.max(...parts) - Math.min(...parts) <= 1)
      for (const share of shares) assert.is.not(ownerOf(files, share), ownerOf(files, otherShare(share)))
    }),
  )
})

test('the folder is the same for the same containers in any order, and another for others', () => {
  assert.is(shareFolder('k', named(3)), shareFolder('k', [...named(3)].reverse()))
  assert.is.not(shareFolder('k', named(3)), shareFolder('k', named(2)))
})

test.run()
