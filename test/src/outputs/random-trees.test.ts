import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lookAt } from '../../../src/outputs/look-at.ts'
import { inProject, staged, treeOf } from './tree.ts'

const test = suite('outputs/random-trees')

const name = fc.constantFrom(
  'a',
  'b',
  'c',
  '-rf',
  'x:y',
  'new\nline',
  'ä',
  'ä',
  ' ',
  '#',
  '[id]',
  '{b}',
  '*',
  '__proto__',
  'constructor',
  '.hidden',
  '(g)',
  '!no',
  '\\',
  '…',
)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const thing = fc.oneof(
  fc.record({
    kind: fc.constant('file' as const),
    text: fc.string({ maxLength: 9 }),
    mode: fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o640),
  }),
  fc.record({ kind: fc.constant('link' as const), target: fc.constantFrom('a', '../b', '/etc', 'nowhere', '.') }),
  fc.record({ kind: fc.constant('folder' as const) }),
)
type Thing = typeof thing extends fc.Arbitrary<infer T> ? T : never
const tree = fc.array(fc.tuple(path, thing), { minLength: 1, maxLength: 12 })

/** Puts each thing in its place, whatever stands there; those below a file or link are left out. */
function build(root: string, things: readonly (readonly [string, Thing])[]): void {
  for (const [at, one] of things) {
    const absolute = join(root, at)
    try {
      if (isThroughLink(root, at)) continue
      mkdirSync(dirname(absolute), { recursive: true })
      rmSync(absolute, { recursive: true, force: true })
      if (one.kind === 'folder') mkdirSync(absolute)
      else if (one.kind === 'link') symlinkSync(one.target, absolute)
      else {
        writeFileSync(absolute, one.text)
        chmodSync(absolute, one.mode)
      }
    } catch (error) {
      if (!['ENOTDIR', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
}

function remove(root: string, at: string): void {
  const isThere = !isThroughLink(root, at) && lookAt(join(root, at))
  if (isThere) rmSync(join(root, at), { recursive: true })
}

function isThroughLink(root: string, at: string): boolean {
  const parts = at.split('/').slice(0, -1)
  return parts.some((_, index) => lookAt(join(root, ...parts.slice(0, index + 1)))?.isSymbolicLink())
}

for (const patterns of [['dist'], ['dist/**'], ['dist/**/*', '!nothing/*.x']]) {
  test(`whatever is done to a tree, restoring \`${patterns.join(' ')}\` makes it exactly what was captured`, () =>
    inProject(async ({ directory, outputs, warnings }) => {
      const root = join(directory, 'dist')
      await fc.assert(
        fc.asyncProperty(tree, tree, fc.array(path, { maxLength: 3 }), async (built, damage, removed) => {
          const isByLibrary = patterns.length > 1
          // The library's `.` means no line break.
          const usable = (things: typeof built) => (isByLibrary ? things.filter(([at]) => !/[\n\\]/.test(at)) : things)
          rmSync(root, { recursive: true, force: true })
          mkdirSync(root)
          build(root, [...usable(built), ['kept', { kind: 'file', text: 'kept', mode: 0o644 }]])
          const captured = { ...(await outputs.capture(patterns)), values: {} }
          const before = treeOf(directory)
          assert.ok(await outputs.isIntact(patterns, captured))
          build(root, usable(damage))
          for (const at of removed) remove(root, at)
          const isSame = JSON.stringify(treeOf(directory)) === JSON.stringify(before)
          assert.is(await outputs.isIntact(patterns, captured), isSame)
          const { state } = await outputs.restore(patterns, captured)
          assert.is(state, isSame ? 'intact' : 'restored')
          assert.equal(treeOf(directory), before)
          assert.ok(await outputs.isIntact(patterns, captured))
        }),
        { numRuns: 60 },
      )
      assert.equal(warnings, [])
      assert.equal(staged(directory), [])
    }))
}

test('a tree that is gone altogether comes back, also elsewhere', () =>
  inProject(async ({ directory, outputs }) => {
    await fc.assert(
      fc.asyncProperty(tree, async (built) => {
        rmSync(join(directory, 'dist'), { recursive: true, force: true })
        mkdirSync(join(directory, 'dist'))
        build(join(directory, 'dist'), built)
        const captured = { ...(await outputs.capture(['dist'])), values: {} }
        const before = treeOf(directory)
        rmSync(join(directory, 'moved'), { recursive: true, force: true })
        renameSync(join(directory, 'dist'), join(directory, 'moved'))
        assert.is((await outputs.restore(['dist'], captured)).state, 'restored')
        rmSync(join(directory, 'moved'), { recursive: true, force: true })
        assert.equal(treeOf(directory), before)
      }),
      { numRuns: 25 },
    )
  }))

test.run()
